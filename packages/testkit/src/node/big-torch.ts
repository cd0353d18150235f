import { type BigFile, type BigOptions, firstValue, type Piece, planBig, temporaryFile, writeSparse } from "./sparse-file.js";

/**
 * A state dict of any size in the form that torch.save gives it (with set_crc32_options(False): the CRC of zeros by the gigabyte
 * would have to be computed), as a sparse file: 100 GB take a few kilobytes and milliseconds. torch.load reads it. All weights
 * are 0 but the first of each tensor, which is its index + 0.5. With `lightning` the weights stand in the `state_dict` of a Lightning checkpoint.
 *
 * @example const big = await bigTorchZip({ bytes: 100e9 }); try { ... } finally { await big.remove(); }
 */
export async function bigTorchZip({ lightning = false, ...options }: BigOptions & { lightning?: boolean }): Promise<BigFile> {
  const { names, elements, tensorBytes } = planBig(options);
  const records: Record[] = [
    { name: "data.pkl", bytes: pickleOf(names, elements, lightning) },
    { name: ".format_version", bytes: text("1") },
    { name: ".storage_alignment", bytes: text("64") },
    { name: "byteorder", bytes: text("little") },
    ...names.map((_, index) => ({ name: `data/${index}`, bytes: firstValue(index), size: tensorBytes })),
    { name: "version", bytes: text("3\n") },
  ];
  const { size, pieces } = layOut("big", records);
  const { path, remove } = await temporaryFile(lightning ? "big.ckpt" : "big.pt");
  await writeSparse(path, size, pieces);
  return { path, size, tensors: lightning ? names.map((name) => `state_dict.${name}`) : names, shape: [elements], remove };
}

interface Record {
  name: string;
  /** Its bytes, or the first of them where `size` says that zeros follow. */
  bytes: Uint8Array;
  size?: number;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const UINT32_MAX = 0xffffffff;

/** Little-endian bytes of [width, value] pairs, one after another. */
function fields(...pairs: readonly (readonly [width: 1 | 2 | 4 | 8, value: number])[]): Uint8Array {
  const bytes = new Uint8Array(pairs.reduce((sum, [width]) => sum + width, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [width, value] of pairs) {
    if (width === 8) view.setBigUint64(at, BigInt(value), true);
    else if (width === 4) view.setUint32(at, value, true);
    else if (width === 2) view.setUint16(at, value, true);
    else view.setUint8(at, value);
    at += width;
  }
  return bytes;
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Stored, sizes and CRC in a data descriptor, names in UTF-8: the flags of PyTorch's writer. */
const FLAGS = 0x0808;
/** Storages begin at multiples of 64 bytes since torch 2.7. */
const ALIGNMENT = 64;

/**
 * Places the records as PyTorch's zip writer does: padded local headers, data descriptors, ZIP64 where 32 bits are too few.
 *
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT sections 4.3 and 4.5.3
 */
function layOut(root: string, records: readonly Record[]): { size: number; pieces: Piece[] } {
  const pieces: Piece[] = [];
  const central: Uint8Array[] = [];
  let at = 0;
  for (const record of records) {
    const name = text(`${root}/${record.name}`);
    const size = record.size ?? record.bytes.length;
    // The padding is an extra field of its own, "FB", whose header takes four bytes.
    const unpadded = at + 30 + name.length + 4;
    const padding = (ALIGNMENT - (unpadded % ALIGNMENT)) % ALIGNMENT;
    const local = fields([4, 0x04034b50], [2, 0], [2, FLAGS], [2, 0], [4, 0], [4, 0], [4, 0], [4, 0], [2, name.length], [2, 4 + padding]);
    pieces.push({ at, bytes: concat(local, name, fields([2, 0x4246], [2, padding])) }, { at: unpadded + padding, bytes: record.bytes });
    central.push(centralEntry(name, size, at));
    const wide = at >= UINT32_MAX || size >= UINT32_MAX ? 8 : 4;
    const end = unpadded + padding + size;
    const descriptor = fields([4, 0x08074b50], [4, 0], [wide, size], [wide, size]);
    pieces.push({ at: end, bytes: descriptor });
    at = end + descriptor.length;
  }
  const directory = concat(...central);
  const count = records.length;
  const end64 = at + directory.length;
  const ends = concat(
    fields([4, 0x06064b50], [8, 44], [2, 0x031e], [2, 45], [4, 0], [4, 0], [8, count], [8, count], [8, directory.length], [8, at]),
    fields([4, 0x07064b50], [4, 0], [8, end64], [4, 1]),
    fields([4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, directory.length], [4, Math.min(at, UINT32_MAX)], [2, 0]),
  );
  pieces.push({ at, bytes: directory }, { at: end64, bytes: ends });
  return { size: end64 + ends.length, pieces };
}

function centralEntry(name: Uint8Array, size: number, offset: number): Uint8Array {
  // Only what does not fit into 32 bits stands in the ZIP64 extra field, in this order.
  const wide = [size, size, offset].filter((value) => value >= UINT32_MAX);
  const extra =
    wide.length > 0 ? concat(fields([2, 1], [2, 8 * wide.length]), ...wide.map((value) => fields([8, value]))) : new Uint8Array(0);
  const size32 = Math.min(size, UINT32_MAX);
  const head = fields([4, 0x02014b50], [2, 0], [2, 0], [2, FLAGS], [2, 0], [4, 0], [4, 0], [4, size32], [4, size32]);
  const tail = fields([2, name.length], [2, extra.length], [2, 0], [2, 0], [2, 0], [4, 0], [4, Math.min(offset, UINT32_MAX)]);
  return concat(head, tail, name, extra);
}

/** BINUNICODE. */
const string = (value: string): Uint8Array => concat(text("X"), fields([4, text(value).length]), text(value));

/** The protocol 2 pickle of a state dict, or of a Lightning checkpoint around it, opcode for opcode as torch.save writes it, without memo. */
function pickleOf(names: readonly string[], elements: number, lightning: boolean): Uint8Array {
  const weights = stateDict(names, elements);
  const before = [string("epoch"), integer(3), string("global_step"), integer(4000), string("pytorch-lightning_version"), string("2.5.0")];
  const whole = lightning ? concat(text("}("), ...before, string("state_dict"), weights, text("u")) : weights;
  return concat(fields([1, 0x80], [1, 2]), whole, text("."));
}

/** `{name: float32 tensor of shape [elements]}`. */
function stateDict(names: readonly string[], elements: number): Uint8Array {
  const count = integer(elements);
  const tensors = names.map((name, index) =>
    concat(
      string(name),
      text("ctorch._utils\n_rebuild_tensor_v2\n(("),
      string("storage"),
      text("ctorch\nFloatStorage\n"),
      string(String(index)),
      string("cpu"),
      count,
      text("tQ"), // TUPLE, BINPERSID
      integer(0),
      count,
      fields([1, 0x85]), // TUPLE1: the shape
      integer(1),
      fields([1, 0x85], [1, 0x89]), // TUPLE1: the strides; NEWFALSE: requires_grad
      text("ccollections\nOrderedDict\n)RtR"),
    ),
  );
  return concat(text("}("), ...tensors, text("u"));
}

/** BININT where 31 bits are enough, else LONG1 of eight bytes. */
const integer = (value: number): Uint8Array =>
  value <= 0x7fffffff ? concat(text("J"), fields([4, value])) : fields([1, 0x8a], [1, 8], [8, value]);
