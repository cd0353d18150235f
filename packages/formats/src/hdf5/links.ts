import type { Reading } from "@ckptkit/core";
import { readBtreeV1 } from "./btree-v1.js";
import { readBtreeV2 } from "./btree-v2.js";
import { decodeText, Fields } from "./fields.js";
import type { Hdf5File } from "./file.js";
import { FractalHeap } from "./fractal-heap.js";
import { readLocalHeap } from "./heaps.js";
import { MESSAGE, type Message, messageOf } from "./object-header.js";

/** A member of a group: an object of the file, or a path to one here or elsewhere. */
export interface Hdf5Link {
  readonly name: string;
  readonly kind: "hard" | "soft" | "external" | "user";
  /** Where the object's header stands. */
  readonly address?: number;
  /** The path that a link leads along. */
  readonly target?: string;
  /** The file that an external link leads into. */
  readonly file?: string;
  /** When it was made, among its neighbours, where the group keeps that. */
  readonly order?: number;
}

/** What old groups are: a tree of nodes of links. */
const SYMBOL_NODE_HEAD_BYTES = 8;

/**
 * The members of a group of any kind, by creation where the group keeps that, else by name; numbers are put in their order.
 *
 * @throws {CheckpointLoadError} HDF5_CORRUPT, HDF5_UNSUPPORTED, LIMIT_EXCEEDED
 */
export function* readLinks(file: Hdf5File, messages: readonly Message[]): Reading<Hdf5Link[]> {
  const links: Hdf5Link[] = [];
  const table = messageOf(messages, MESSAGE.symbolTable);
  if (table) links.push(...(yield* oldLinks(file, table)));
  for (const { type, bytes } of messages) if (type === MESSAGE.link) links.push(parseLink(new Fields(bytes, file, "a link")));
  const info = messageOf(messages, MESSAGE.linkInfo);
  if (info) links.push(...(yield* denseLinks(file, new Fields(info, file, "the links of a group"))));
  return links.sort(
    links.every(({ order }) => order !== undefined) ? byOrder : links.every(({ name }) => /^\d{1,15}$/.test(name)) ? byNumber : byName,
  );
}

const byOrder = (a: Hdf5Link, b: Hdf5Link): number => (a.order ?? 0) - (b.order ?? 0);
const byNumber = (a: Hdf5Link, b: Hdf5Link): number => Number(a.name) - Number(b.name);
const byName = (a: Hdf5Link, b: Hdf5Link): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

/** @see https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html (III.B. Disk Format: Level 1B - Group Symbol Table Nodes) */
function* oldLinks(file: Hdf5File, table: Uint8Array): Reading<Hdf5Link[]> {
  const fields = new Fields(table, file, "a symbol table");
  const tree = fields.givenAddress();
  const nameAt = yield* readLocalHeap(file, fields.givenAddress());
  const nodes = yield* readBtreeV1(file, tree, { type: 0, keyBytes: file.lengthBytes, leaf: (_, child) => child });
  const links: Hdf5Link[] = [];
  const seen = new Set<number>();
  for (const address of nodes) {
    const what = `the symbol table node at ${address}`;
    const head = yield* file.fields(address, SYMBOL_NODE_HEAD_BYTES, what);
    if (seen.has(address)) throw head.bad("stands in its tree twice");
    seen.add(address);
    head.signature("SNOD");
    head.version(1);
    head.skip(1);
    const count = head.u16();
    const entries = yield* file.fields(address + SYMBOL_NODE_HEAD_BYTES, count * (2 * file.offsetBytes + 24), what);
    for (let index = 0; index < count; index++) {
      const name = nameAt(entries.uint(file.offsetBytes));
      const object = entries.address();
      const kind = entries.u32();
      entries.skip(4);
      const offset = entries.u32();
      entries.skip(12);
      file.spend(name.length);
      if (kind === 2) links.push({ name, kind: "soft", target: nameAt(offset) });
      else if (object !== undefined) links.push({ name, kind: "hard", address: object });
    }
  }
  return links;
}

/** @see https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html (IV.A.2.c. The Link Info Message) */
function* denseLinks(file: Hdf5File, info: Fields): Reading<Hdf5Link[]> {
  info.version(0);
  const flags = info.u8();
  info.skip(flags & 1 ? 8 : 0);
  const heapAddress = info.address();
  const tree = info.address();
  if (heapAddress === undefined || tree === undefined) return [];
  const heap = yield* FractalHeap.open(file, heapAddress);
  const identifiers = yield* readBtreeV2(file, tree, 5, (record) => {
    record.skip(4);
    return record.take(7);
  });
  const links: Hdf5Link[] = [];
  for (const identifier of identifiers) links.push(parseLink(new Fields(yield* heap.object(identifier), file, "a link")));
  return links;
}

const WIDTHS = [1, 2, 4, 8] as const;

/** @see https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html (IV.A.2.g. The Link Message) */
function parseLink(fields: Fields): Hdf5Link {
  fields.version(1);
  const flags = fields.u8();
  const type = flags & 8 ? fields.u8() : 0;
  const order = flags & 4 ? { order: fields.u64() } : {};
  fields.skip(flags & 16 ? 1 : 0);
  const name = decodeText(fields.take(fields.uint(WIDTHS[flags & 3] ?? 1)));
  if (type === 0) return { name, kind: "hard", address: fields.givenAddress(), ...order };
  const content = new Fields(fields.take(fields.u16()), fields.sizes, fields.what);
  if (type === 1) return { name, kind: "soft", target: decodeText(content.bytes), ...order };
  if (type !== 64) return { name, kind: "user", ...order };
  content.skip(1);
  return { name, kind: "external", file: content.zeroEnded(), target: content.zeroEnded(), ...order };
}
