import { type ByteSource, CheckpointError } from "@ckptkit/core";
import { openCheckpoint } from "@ckptkit/formats";
import type { AuditLog } from "./audit-log.js";

/** Bytes of a description that Keras writes: a Lambda layer is looked for within them. */
const MOST_KERAS_BYTES = 256 * 1024 * 1024;
const PIECE_BYTES = 1024 * 1024;
/** What is looked for is shorter than this, so that pieces which overlap by it cut nothing in two. */
const OVERLAP_BYTES = 256;

/** What the format's own reader has to say: contradictions between its parts. */
export async function openToo(source: ByteSource, where: string, log: AuditLog): Promise<void> {
  const { close: _closedByItsOwner, ...open } = { ...source, size: source.size, name: source.name };
  try {
    const kept: ByteSource = { ...open, read: (start, end, options) => source.read(start, end, options) };
    const { findings } = await openCheckpoint(kept, { limits: log.limits, signal: log.options.signal });
    for (const finding of findings)
      if (!log.hasSeen(finding.rule)) log.pass({ ...finding, at: finding.at ? `${where}: ${finding.at}` : where });
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    log.note(error.code === "LIMIT_EXCEEDED" ? "limit-reached" : "reader-refused", `${error.code}: ${error.message}`, where);
  }
}

/** Looks for layers that hold compiled Python code in what Keras writes: a JSON text, also within HDF5. */
export async function auditKeras(source: ByteSource, where: string, log: AuditLog): Promise<void> {
  for (let at = 0; at < Math.min(source.size, MOST_KERAS_BYTES); at += PIECE_BYTES) {
    const text = new TextDecoder("latin1").decode(
      (await source.read(at, Math.min(source.size, at + PIECE_BYTES + OVERLAP_BYTES), log.options)).slice(),
    );
    if (/"class_name":\s*"Lambda"|"__lambda__"/.test(text)) {
      log.note("keras-lambda", "The model has a Lambda layer, which holds compiled Python code.", where);
      return;
    }
  }
}
