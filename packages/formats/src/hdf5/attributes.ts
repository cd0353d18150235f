import { type Bytes, type CheckpointError, type Reading, realNumber, type Tree } from "@ckptkit/core";
import { readBtreeV2 } from "./btree-v2.js";
import { type Dataspace, parseDataspace } from "./dataspace.js";
import { type Datatype, parseDatatype } from "./datatype.js";
import { describeDatatype } from "./element.js";
import { isOfOneObject } from "./errors.js";
import { decodeText, Fields } from "./fields.js";
import type { Hdf5File } from "./file.js";
import { FractalHeap } from "./fractal-heap.js";
import type { GlobalHeap } from "./heaps.js";
import { numberAt } from "./numbers.js";
import { MESSAGE, type Message, messageOf, sharedMessage } from "./object-header.js";

/** Attributes of an object by their names. */
export type Attributes = ReadonlyMap<string, Tree>;

/**
 * All attributes of an object, those in its header and those in a heap. What is wrong with some of them is told, and the others stand.
 *
 * @throws {CheckpointLoadError} LIMIT_EXCEEDED
 */
export function* readAttributes(
  file: Hdf5File,
  heap: GlobalHeap,
  messages: readonly Message[],
  tell: (error: CheckpointError) => void,
): Reading<Attributes> {
  const attributes = new Map<string, Tree>();
  const bodies = messages.filter(({ type }) => type === MESSAGE.attribute).map(({ bytes }) => bytes);
  const info = messageOf(messages, MESSAGE.attributeInfo);
  if (info) bodies.push(...((yield* attempt(denseAttributes(file, new Fields(info, file, "the attributes of an object")), tell)) ?? []));
  for (const body of bodies) {
    const found = yield* attempt(readAttribute(file, heap, body), tell);
    if (found && !attributes.has(found[0])) attributes.set(found[0], found[1]);
  }
  return attributes;
}

/** What a reading gives; undefined, and told, when it comes upon damage. */
function* attempt<T>(reading: Reading<T>, tell: (error: CheckpointError) => void): Reading<T | undefined> {
  try {
    return yield* reading;
  } catch (error) {
    if (!isOfOneObject(error)) throw error;
    tell(error);
    return undefined;
  }
}

/** @see https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html (IV.A.2.v. The Attribute Info Message) */
function* denseAttributes(file: Hdf5File, info: Fields): Reading<Bytes[]> {
  info.version(0);
  info.skip(info.u8() & 1 ? 2 : 0);
  const heapAddress = info.address();
  const tree = info.address();
  if (heapAddress === undefined || tree === undefined) return [];
  const heap = yield* FractalHeap.open(file, heapAddress);
  const identifiers = yield* readBtreeV2(file, tree, 8, (record) => {
    const id = record.take(8);
    return { id, isShared: (record.u8() & 2) !== 0, order: record.u32() };
  });
  const bodies: Bytes[] = [];
  for (const { id, isShared } of identifiers.sort((a, b) => a.order - b.order)) {
    const body = yield* heap.object(id);
    bodies.push(isShared ? yield* sharedMessage(file, MESSAGE.attribute, body) : body);
  }
  return bodies;
}

/** @see https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html (IV.A.2.m. The Attribute Message) */
function* readAttribute(file: Hdf5File, heap: GlobalHeap, body: Bytes): Reading<[string, Tree]> {
  const fields = new Fields(body, file, "an attribute");
  const version = fields.version(1, 2, 3);
  const flags = fields.u8();
  const [nameBytes, typeBytes, spaceBytes] = [fields.u16(), fields.u16(), fields.u16()];
  fields.skip(version === 3 ? 1 : 0);
  const take = (count: number): Bytes => {
    const bytes = fields.take(count);
    if (version === 1) fields.skip(Math.min(fields.left, Math.ceil(count / 8) * 8 - count));
    return bytes;
  };
  const name = decodeText(trimmed(take(nameBytes), 0));
  const typeBody = take(typeBytes);
  const spaceBody = take(spaceBytes);
  const isShared = (bit: number): boolean => version > 1 && (flags & bit) !== 0;
  const typeMessage = isShared(1) ? yield* sharedMessage(file, MESSAGE.datatype, typeBody) : typeBody;
  const spaceMessage = isShared(2) ? yield* sharedMessage(file, MESSAGE.dataspace, spaceBody) : spaceBody;
  const what = `the attribute ${JSON.stringify(name.slice(0, 200))}`;
  const type = parseDatatype(new Fields(typeMessage, file, what));
  const space = parseDataspace(new Fields(spaceMessage, file, what));
  return [name, yield* valuesOf(file, heap, type, space, new Fields(fields.take(fields.left), file, what))];
}

/** The elements of a dataspace: one value, or lists within each other as the shape has it. */
function* valuesOf(file: Hdf5File, heap: GlobalHeap, type: Datatype, space: Dataspace, data: Fields): Reading<Tree> {
  if (space.isNull) return null;
  if (space.elements * type.size > data.left)
    throw data.bad(`should have ${space.elements} values of ${type.size} bytes, and has ${data.left} bytes`);
  const values: Tree[] = [];
  for (let index = 0; index < space.elements; index++) values.push(yield* elementValue(file, heap, type, data.take(type.size), 0));
  return nested(values, space.shape);
}

/** Values in lists of lists, by a shape. */
export function nested(values: readonly Tree[], shape: readonly number[]): Tree {
  if (shape.length === 0) return values[0] ?? null;
  // An empty axis leaves nothing to put into lists, however many of these the other axes name.
  if (values.length === 0) return { kind: "list", type: "list", items: [] };
  let items = [...values];
  for (const size of shape.slice(1).reverse()) {
    const rows: Tree[] = [];
    for (let at = 0; at < items.length; at += size) rows.push({ kind: "list", type: "list", items: items.slice(at, at + size) });
    items = rows;
  }
  return { kind: "list", type: "list", items };
}

/** Sequences within sequences that are followed. */
const MOST_DEPTH = 32;

function* elementValue(file: Hdf5File, heap: GlobalHeap, type: Datatype, bytes: Bytes, depth: number): Reading<Tree> {
  switch (type.kind) {
    case "numbers": {
      const value = numberAt(type, bytes);
      return type.dtype.startsWith("F") || type.dtype === "BF16" ? realNumber(Number(value)) : value;
    }
    case "text":
      return decodeText(trimmed(bytes, type.padding));
    case "enum":
      return type.isBool ? bytes[0] === 1 : yield* elementValue(file, heap, type.base, bytes, depth);
    case "array": {
      const values: Tree[] = [];
      const { size } = type.base;
      for (let at = 0; at + size <= bytes.length; at += size)
        values.push(yield* elementValue(file, heap, type.base, bytes.subarray(at, at + size), depth));
      return nested(values, type.shape);
    }
    case "compound": {
      const entries: [Tree, Tree][] = [];
      for (const { name, offset, type: inner } of type.members)
        entries.push([name, yield* elementValue(file, heap, inner, bytes.subarray(offset, offset + inner.size), depth)]);
      return { kind: "map", type: "dict", entries };
    }
    case "sequence":
      return yield* sequenceOf(file, heap, type, new Fields(bytes, file, "a value of varying length"), depth);
    case "other":
      return type.what.startsWith("opaque")
        ? Uint8Array.from(bytes)
        : { kind: "object", type: `hdf5.${type.what}`, state: Uint8Array.from(bytes) };
  }
}

function* sequenceOf(
  file: Hdf5File,
  heap: GlobalHeap,
  type: Extract<Datatype, { kind: "sequence" }>,
  reference: Fields,
  depth: number,
): Reading<Tree> {
  const count = reference.u32();
  const address = reference.address();
  const index = reference.u32();
  const isEmpty = count === 0 || address === undefined || (address === 0 && index === 0);
  const bytes = isEmpty ? new Uint8Array(0) : yield* heap.value(address, index);
  if (type.isText) return decodeText(trimmed(bytes.subarray(0, count), 0));
  const items: Tree[] = [];
  const { size } = type.base;
  if (depth > MOST_DEPTH || count * size > bytes.length)
    throw reference.bad(`should have ${count} of ${describeDatatype(type.base)}, and has ${bytes.length} bytes`);
  for (let at = 0; at < (isEmpty ? 0 : count); at++)
    items.push(yield* elementValue(file, heap, type.base, bytes.subarray(at * size, (at + 1) * size), depth + 1));
  return { kind: "list", type: "list", items };
}

/** Bytes without their padding: up to the first NUL (0), without NULs at the end (1), without spaces there (2). */
function trimmed(bytes: Bytes, padding: number): Bytes {
  if (padding === 0) {
    const end = bytes.indexOf(0);
    return end < 0 ? bytes : bytes.subarray(0, end);
  }
  const pad = padding === 2 ? 0x20 : 0;
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === pad) end--;
  return bytes.subarray(0, end);
}
