import {
  type ByteSource,
  type Checkpoint,
  CheckpointLoadError,
  checkLimit,
  DTYPES,
  type DType,
  type Finding,
  type FormatReader,
  finish,
  finishSync,
  type Limits,
  type OpenOptions,
  type Reading,
  Storage,
  sliceSource,
  type Tree,
  withLimits,
} from "@ckptkit/core";
import type { PickleValue } from "@ckptkit/pickle";
import { readTar, tarMember } from "../tar/read-tar.js";
import { describeValue, isKind, torchError } from "../torch/build-context.js";
import { dtypeOfClass } from "../torch/dtypes.js";
import { integer } from "../torch/storage-id.js";
import { tensorNode } from "../torch/tensor-node.js";
import { TreeBuilder } from "../torch/tree-builder.js";
import { checkpointOfTree } from "../tree-checkpoint.js";
import { viewOf } from "../zip/records.js";
import { torchTarSignature } from "./signature.js";
import { MixedStream } from "./stream.js";

/** Opens the tar archives of torch.save before 0.2. */
export const torchTarReader: FormatReader = {
  ...torchTarSignature,
  open: openTorchTar,
  openSync: (source, options) => finishSync(readTorchTar(source, options)),
};

/** The three members of such an archive. */
const MEMBERS = ["storages", "tensors", "pickle"] as const;
/** Axes of one tensor. torch has no bound; numpy's is 64. */
const MOST_AXES = 1024;

/** A storage, and the type of its elements. */
interface TypedStorage {
  readonly storage: Storage;
  readonly dtype: DType;
}

/**
 * Opens a tar archive of torch 0.1: reads the pickles and the descriptions of tensors, and leaves out what is between them.
 *
 * @throws {CheckpointLoadError} TAR_CORRUPT, PICKLE_*, TORCH_*, TENSOR_OUT_OF_BOUNDS, UNSUPPORTED_FORMAT, LIMIT_EXCEEDED
 * @see https://github.com/pytorch/pytorch torch/serialization.py, legacy_load
 * @example const checkpoint = await openTorchTar(blobSource(file));
 */
export async function openTorchTar(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  return finish(readTorchTar(source, options));
}

function* readTorchTar(source: ByteSource, options: OpenOptions): Reading<Checkpoint> {
  const limits = withLimits(options.limits);
  const members = yield* readTar(source, limits, options);
  const parts = MEMBERS.flatMap((name) => members.get(name) ?? []).map((member) => tarMember(source, member));
  const [storagesPart, tensorsPart, picklePart] = parts;
  if (!storagesPart || !tensorsPart || !picklePart) {
    const names = [...members.keys()];
    throw new CheckpointLoadError(
      "UNSUPPORTED_FORMAT",
      `${source.name} is a tar archive, but holds no checkpoint that is read here: ${names.slice(0, 5).join(", ")}${names.length > 5 ? " ..." : ""}.`,
      { details: { members: names.slice(0, 20) }, suggestions: ["Unpack it, and open the checkpoint in it."] },
    );
  }
  const findings: Finding[] = [];
  const storages = yield* readStorages(storagesPart, limits, findings, options);
  const tensors = yield* readTensors(tensorsPart, storages, limits, findings, options);
  checkLimit(limits, "pickleBytes", picklePart.size, `The pickle of ${source.name}`);
  const stream = new MixedStream(picklePart, limits, options);
  const main = yield* stream.pickle();
  const builder = new TreeBuilder(noStorages, limits, {
    persistent: (id) => {
      if (typeof id !== "string" && typeof id !== "number" && typeof id !== "bigint") return undefined;
      const known = tensors.get(String(id)) ?? (storages.has(String(id)) ? ({ kind: "object", type: "storage" } as const) : undefined);
      if (known) return known;
      throw new CheckpointLoadError(
        "TORCH_STORAGE_MISSING",
        `The object refers to ${describeValue(id)}, which is no tensor of ${source.name}.`,
      );
    },
  });
  const tree = builder.build(main.value);
  findings.push(...main.findings, ...builder.findings);
  const checkpoint = checkpointOfTree(tree, { uri: source.name, format: "torch-tar", limits });
  return {
    ...checkpoint,
    byteLength: source.size,
    findings: [...findings, ...checkpoint.findings],
    close: async () => source.close?.(),
  };
}

const noStorages = (): never => {
  throw torchError("A tensor names its storage as later versions of torch do.");
};

/** A count, and for each storage (key, location, class), its element count and its bytes; then the views of storages. */
function* readStorages(part: ByteSource, limits: Limits, findings: Finding[], options: OpenOptions): Reading<Map<string, TypedStorage>> {
  const storages = new Map<string, TypedStorage>();
  const stream = new MixedStream(part, limits, options);
  const count = yield* readCount(stream, part, limits);
  for (let index = 0; index < count; index++) {
    const { value, findings: found } = yield* stream.pickle();
    findings.push(...found);
    const [key, , cls] = isKind(value, "tuple") ? value.items : [];
    const dtype = isKind(cls, "global") ? dtypeOfClass(`${cls.module}.${cls.name}`, "Storage") : undefined;
    if (dtype === undefined) throw torchError(`A storage of ${part.name} is of the class ${describeValue(cls)}.`);
    const elements = viewOf(yield* stream.bytes(8)).getBigInt64(0, true);
    const bytes = Number(elements) * (DTYPES[dtype].bits / 8);
    if (!Number.isSafeInteger(bytes) || bytes < 0 || stream.at + bytes > part.size) {
      throw torchError(`The storage ${describeValue(key)} of ${part.name} declares ${elements} elements: more than the file has.`);
    }
    const id = keyOf(key);
    storages.set(id, { dtype, storage: new Storage({ id, bytes: sliceSource(part, stream.at, stream.at + bytes, `${part.name}#${id}`) }) });
    stream.at += bytes;
  }
  const { value: views, findings: found } = yield* stream.pickle();
  findings.push(...found);
  for (const view of isKind(views, "list") || isKind(views, "tuple") ? views.items : []) {
    const [key, rootKey, offset, elements] = isKind(view, "tuple") ? view.items : [];
    const root = storages.get(keyOf(rootKey));
    if (!root) throw torchError(`${part.name} has a view of the storage ${describeValue(rootKey)}, which it does not hold.`);
    const item = DTYPES[root.dtype].bits / 8;
    const start = integer(offset, "offset of a storage view") * item;
    const end = start + integer(elements, "size of a storage view") * item;
    if (end > root.storage.byteLength)
      throw torchError(`A view of the storage ${describeValue(rootKey)} ends at ${end}, but it has ${root.storage.byteLength} bytes.`);
    storages.set(keyOf(key), { dtype: root.dtype, storage: viewOfStorage(root.storage, keyOf(key), start, end) });
  }
  return storages;
}

/** A part of a storage as a storage of its own. */
function viewOfStorage(root: Storage, id: string, start: number, end: number): Storage {
  const whole: ByteSource = {
    size: root.byteLength,
    name: root.id,
    async read(from, to, options) {
      const bytes = new Uint8Array(to - from);
      await root.readInto(bytes, from, options);
      return bytes;
    },
    readInto: (target, from, options) => root.readInto(target, from, options),
    locate: (options) => root.locate(options),
  };
  return new Storage({ id, bytes: sliceSource(whole, start, end) });
}

/** A count, and for each tensor (key, key of its storage, class), and as numbers: axes, sizes, strides, offset. */
function* readTensors(
  part: ByteSource,
  storages: ReadonlyMap<string, TypedStorage>,
  limits: Limits,
  findings: Finding[],
  options: OpenOptions,
): Reading<Map<string, Tree>> {
  const tensors = new Map<string, Tree>();
  const stream = new MixedStream(part, limits, options);
  const count = yield* readCount(stream, part, limits);
  for (let index = 0; index < count; index++) {
    const { value, findings: found } = yield* stream.pickle();
    findings.push(...found);
    const [key, storageKey] = isKind(value, "tuple") ? value.items : [];
    const typed = storages.get(keyOf(storageKey));
    if (!typed) {
      throw new CheckpointLoadError(
        "TORCH_STORAGE_MISSING",
        `A tensor refers to the storage ${describeValue(storageKey)}, which ${part.name} lacks.`,
      );
    }
    // Written as an int32; the four bytes after it mean nothing.
    const axes = viewOf(yield* stream.bytes(8)).getInt32(0, true);
    if (axes < 0 || axes > MOST_AXES) throw torchError(`A tensor of ${part.name} has ${axes} axes.`);
    const numbers = viewOf(yield* stream.bytes(8 * (2 * axes + 1)));
    const at = (place: number): number => {
      const number = Number(numbers.getBigInt64(8 * place, true));
      if (Number.isSafeInteger(number) && number >= 0) return number;
      throw torchError(`A tensor of ${part.name} has a size, stride or offset of ${number}.`);
    };
    const shape = Array.from({ length: axes }, (_, axis) => at(axis));
    const strides = Array.from({ length: axes }, (_, axis) => at(axes + axis));
    const { storage, dtype } = typed;
    const byteOffset = at(2 * axes) * (DTYPES[dtype].bits / 8);
    tensors.set(keyOf(key), tensorNode({ dtype, shape, strides, storage, byteOffset }));
  }
  return tensors;
}

/** How many things follow; more than there are bytes for cannot be. */
function* readCount(stream: MixedStream, part: ByteSource, limits: Limits): Reading<number> {
  const count = integer((yield* stream.pickle()).value, "count of tensors or storages");
  checkLimit(limits, "tensors", count, `Tensors of ${part.name}`);
  return count;
}

/** Keys are integers, and text where they are referred to. @throws {CheckpointLoadError} TORCH_CORRUPT */
function keyOf(key: PickleValue | undefined): string {
  if (typeof key === "string" || typeof key === "number" || typeof key === "bigint") return String(key);
  throw torchError(`A tensor or storage has the key ${describeValue(key)}.`);
}
