import type { ByteSource, Bytes } from "@ckptkit/core";
import type { AuditLog } from "./audit-log.js";
import { latin1 } from "./content-kind.js";

/** How a SavedModel's graph begins: the version of its schema, then the first graph. */
const SAVED_MODEL = [0x08, 0x01, 0x12];
/**
 * The operation of a node, as protobuf writes it: the field's tag, its length, its text.
 *
 * @see https://github.com/tensorflow/tensorflow tensorflow/core/framework/node_def.proto
 */
const OPERATIONS = ["ReadFile", "WriteFile", "MatchingFiles", "PyFunc", "EagerPyFunc", "PyFuncStateless", "DebugIdentityV3"];
const WRITTEN = OPERATIONS.map((name) => [name, `\x12${String.fromCharCode(name.length)}${name}`] as const);
const PIECE_BYTES = 1024 * 1024;
const OVERLAP_BYTES = 64;
const MOST_BYTES = 256 * 1024 * 1024;

/** Looks for operations of a TensorFlow graph that reach files or call Python. The graph itself is not read. */
export async function auditTfGraph(source: ByteSource, head: Bytes, where: string, log: AuditLog): Promise<void> {
  if (!/\.pb$/i.test(where) && !SAVED_MODEL.every((byte, at) => head[at] === byte)) return;
  const found = new Set<string>();
  for (let at = 0; at < Math.min(source.size, MOST_BYTES); at += PIECE_BYTES) {
    const text = textOf(await source.read(at, Math.min(source.size, at + PIECE_BYTES + OVERLAP_BYTES), log.options));
    for (const [name, written] of WRITTEN) if (text.includes(written)) found.add(name);
  }
  if (found.size > 0) log.note("tf-graph-files", `The graph has operations that reach files or Python: ${[...found].join(", ")}.`, where);
}

/** One character a byte, in parts that fit into the arguments of a call. */
function textOf(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += latin1(bytes.subarray(at, at + 8192));
  return text;
}
