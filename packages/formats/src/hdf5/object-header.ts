import type { Bytes, Reading } from "@ckptkit/core";
import { hdf5Error, hdf5Unsupported } from "./errors.js";
import { Fields } from "./fields.js";
import type { Hdf5File } from "./file.js";

/** The kinds of header messages that are read here. */
export const MESSAGE = {
  dataspace: 0x01,
  linkInfo: 0x02,
  datatype: 0x03,
  oldFillValue: 0x04,
  fillValue: 0x05,
  link: 0x06,
  externalFiles: 0x07,
  layout: 0x08,
  filters: 0x0b,
  attribute: 0x0c,
  continuation: 0x10,
  symbolTable: 0x11,
  attributeInfo: 0x15,
} as const;

/** One message of an object header: what it is about, and its bytes. */
export interface Message {
  readonly type: number;
  readonly bytes: Bytes;
}

/** Flag of a message whose content stands elsewhere. */
const SHARED = 0x02;
/** Bytes that are read of a header at first: all of most of them. */
const FIRST_BYTES = 512;
/** Bytes of the prefix of version 1, and the most of version 2. */
const PREFIX_BYTES = 16;
/** Sizes of fields by two bits of flags. */
const WIDTHS = [1, 2, 4, 8] as const;

/**
 * Reads all messages of the object whose header is at an address: version 1 or 2, with its continuations. Messages that are shared
 * are followed to where they stand.
 *
 * @throws {CheckpointLoadError} HDF5_CORRUPT, HDF5_UNSUPPORTED, LIMIT_EXCEEDED
 * @see https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html (IV.A. Disk Format: Level 2A - Data Object Headers)
 */
export function* readObjectHeader(file: Hdf5File, address: number): Reading<Message[]> {
  const messages: Message[] = [];
  for (const message of yield* rawMessages(file, address)) {
    messages.push(message.isShared ? { type: message.type, bytes: yield* sharedMessage(file, message.type, message.bytes) } : message);
  }
  return messages;
}

/** The first message of a kind. */
export const messageOf = (messages: readonly Message[], type: number): Bytes | undefined =>
  messages.find((message) => message.type === type)?.bytes;

/**
 * What a shared message refers to: the message of the same kind in the header of another object, as a committed datatype is.
 *
 * @throws {CheckpointLoadError} HDF5_UNSUPPORTED for messages in the heap of shared messages, which h5py and Keras do not write
 */
export function* sharedMessage(file: Hdf5File, type: number, reference: Bytes): Reading<Bytes> {
  const fields = new Fields(reference, file, "a shared message");
  const version = fields.version(1, 2, 3);
  const kind = fields.u8();
  if (version === 3 && kind === 1) throw hdf5Unsupported(file.name, "A part of an object is in the heap of shared messages");
  fields.skip(version === 1 ? 6 : 0);
  const address = fields.givenAddress();
  const found = (yield* rawMessages(file, address)).find((message) => message.type === type);
  if (!found || found.isShared) throw hdf5Error(file.name, `a shared message leads to ${address}, where it is not`);
  return found.bytes;
}

interface RawMessage extends Message {
  readonly isShared: boolean;
}

/** A run of messages. */
interface Block {
  readonly start: number;
  readonly length: number;
}

function* rawMessages(file: Hdf5File, address: number): Reading<RawMessage[]> {
  const what = `the object header at ${address}`;
  const window = yield* file.read(address, Math.max(PREFIX_BYTES, Math.min(FIRST_BYTES, file.source.size - address)), what);
  const isSecond = String.fromCharCode(...window.subarray(0, 4)) === "OHDR";
  return yield* isSecond ? secondVersion(file, address, window, what) : firstVersion(file, address, window, what);
}

function* firstVersion(file: Hdf5File, address: number, window: Bytes, what: string): Reading<RawMessage[]> {
  const prefix = new Fields(window, file, what);
  prefix.version(1);
  prefix.skip(7);
  const firstBytes = prefix.u32();
  const messages: RawMessage[] = [];
  const blocks: Block[] = [{ start: address + PREFIX_BYTES, length: firstBytes }];
  const seen = new Set<number>();
  for (const block of blocks) {
    once(seen, block, what, file);
    const isFirst = blocks[0] === block;
    const bytes =
      isFirst && PREFIX_BYTES + block.length <= window.length
        ? window.subarray(PREFIX_BYTES, PREFIX_BYTES + block.length)
        : yield* file.read(block.start, block.length, what);
    const fields = new Fields(bytes, file, what);
    while (fields.left >= 8) {
      const type = fields.u16();
      const size = fields.u16();
      const flags = fields.u8();
      fields.skip(3);
      keep({ type, bytes: fields.take(size), isShared: (flags & SHARED) !== 0 }, messages, blocks, file);
    }
  }
  return messages;
}

function* secondVersion(file: Hdf5File, address: number, window: Bytes, what: string): Reading<RawMessage[]> {
  const prefix = new Fields(window, file, what);
  prefix.skip(4);
  prefix.version(2);
  const flags = prefix.u8();
  if (flags & 0x20) prefix.skip(16); // times
  if (flags & 0x10) prefix.skip(4); // when attributes become dense
  const firstBytes = prefix.uint(WIDTHS[flags & 3] ?? 1);
  const hasOrder = (flags & 0x04) !== 0;
  const messages: RawMessage[] = [];
  const first: Block = { start: address, length: prefix.at + firstBytes + 4 };
  const blocks = [first];
  const seen = new Set<number>();
  for (const block of blocks) {
    once(seen, block, what, file);
    const isFirst = block === first;
    const bytes =
      isFirst && block.length <= window.length ? window.subarray(0, block.length) : yield* file.read(block.start, block.length, what);
    const fields = file.verify(bytes, isFirst ? what : `a continuation of ${what}`);
    if (isFirst) fields.skip(prefix.at);
    else fields.signature("OCHK");
    const headBytes = hasOrder ? 6 : 4;
    while (fields.left >= headBytes) {
      const type = fields.u8();
      const size = fields.u16();
      const messageFlags = fields.u8();
      if (hasOrder) fields.skip(2);
      keep({ type, bytes: fields.take(size), isShared: (messageFlags & SHARED) !== 0 }, messages, blocks, file);
    }
  }
  return messages;
}

/** @throws {CheckpointLoadError} HDF5_CORRUPT when continuations lead in a circle */
function once(seen: Set<number>, { start }: Block, what: string, file: Hdf5File): void {
  if (seen.has(start)) throw hdf5Error(file.name, `${what} continues in a circle`);
  seen.add(start);
}

function keep(message: RawMessage, messages: RawMessage[], blocks: Block[], file: Hdf5File): void {
  if (message.type === 0) return; // room that is not used
  if (message.type !== MESSAGE.continuation) {
    messages.push(message);
    return;
  }
  const fields = new Fields(message.bytes, file, "a continuation");
  const start = fields.givenAddress();
  blocks.push({ start, length: fields.length() });
}
