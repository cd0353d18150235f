import type { Bytes, Limits, SignalOptions } from "@ckptkit/core";
import { openEnvelope } from "./envelope.js";
import type { Fields } from "./fields.js";
import { type DataFile, readFileTable } from "./file-table.js";

/** Where a node is. */
export interface NodePlace {
  readonly file: DataFile;
  readonly offset: number;
  readonly length: number;
  /** Levels of nodes below it. */
  readonly height: number;
}

/** What a manifest says. */
export interface Manifest {
  /** The tree of versions is in files with numbers. */
  readonly isNumbered: boolean;
  /** The root of the latest version; undefined when nothing was written. */
  readonly root: NodePlace | undefined;
}

const UUID_BYTES = 16;

/** @throws {CheckpointLoadError} OCDBT_CORRUPT, COMPRESSION_CORRUPT @see https://google.github.io/tensorstore/kvstore/ocdbt/index.html#manifest-format */
export async function readManifest(bytes: Bytes, name: string, limits: Limits, options?: SignalOptions): Promise<Manifest> {
  const fields = await openEnvelope(bytes, "manifest", name, limits, options);
  fields.skip(UUID_BYTES);
  const kind = fields.size();
  if (kind > 1) fields.bad(`it is a manifest of a kind (${kind}) that is not known here`);
  fields.size(); // the most bytes of a value within a node
  fields.size(); // the most bytes of a node
  fields.u8(); // how versions are arranged
  const compression = fields.size();
  if (compression > 1) fields.bad(`its nodes are compressed in a way (${compression}) that is not known here`);
  if (compression === 1) fields.skip(4);
  if (kind === 1) return { isNumbered: true, root: undefined };
  return { isNumbered: false, root: latest(fields, readFileTable(fields, "")) };
}

/** The last of the versions that the manifest itself lists: older ones are in a tree of their own. */
function latest(fields: Fields, files: readonly DataFile[]): NodePlace | undefined {
  const count = fields.count();
  if (count === 0) return undefined;
  fields.sizes(count); // generations
  const heights = Array.from({ length: count }, fields.u8);
  const file = files[fields.sizes(count).at(-1) ?? 0];
  const offset = Array.from({ length: count }, () => fields.varint()).at(-1);
  const length = Array.from({ length: count }, () => fields.varint()).at(-1);
  if (offset === undefined || length === undefined) return undefined; // an empty version
  if (!file) fields.bad("its latest version is in a file that it does not name");
  return { file, offset, length, height: heights.at(-1) ?? 0 };
}
