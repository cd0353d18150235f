import { type ByteSource, type Checkpoint, CheckpointError } from "@ckptkit/core";
import { openCheckpoint } from "@ckptkit/formats";
import type { AuditLog } from "./audit-log.js";
import { auditKerasConfig, noteLambda } from "./keras-config.js";

/** Bytes of a description that Keras writes: a Lambda layer is looked for within them. */
const MOST_KERAS_BYTES = 256 * 1024 * 1024;
const PIECE_BYTES = 1024 * 1024;
/** What is looked for is shorter than this, so that pieces which overlap by it cut nothing in two. */
const OVERLAP_BYTES = 256;

/** How a configuration names a layer that holds compiled code. */
const LAMBDA = /"class_name":\s*"Lambda"|"__lambda__"/;

/** What the format's own reader has to say: contradictions between its parts. Gives what it shows of the file; undefined when it refuses it. */
export async function openToo(source: ByteSource, where: string, log: AuditLog): Promise<Checkpoint["metadata"] | undefined> {
  const { close: _closedByItsOwner, ...open } = { ...source, size: source.size, name: source.name };
  try {
    const kept: ByteSource = { ...open, read: (start, end, options) => source.read(start, end, options) };
    const { findings, metadata } = await openCheckpoint(kept, { limits: log.limits, signal: log.options.signal });
    for (const finding of findings)
      if (!log.hasSeen(finding.rule)) log.pass({ ...finding, at: finding.at ? `${where}: ${finding.at}` : where });
    return metadata;
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    log.note(error.code === "LIMIT_EXCEEDED" ? "limit-reached" : "reader-refused", `${error.code}: ${error.message}`, where);
    return undefined;
  }
}

/** Attributes of HDF5 files in which Keras keeps configurations. */
const CONFIGURATIONS = ["model_config", "training_config"];

/** An HDF5 file: what its reader says, and what Keras would load by its configurations. */
export async function auditHdf5(source: ByteSource, where: string, log: AuditLog): Promise<void> {
  const metadata = await openToo(source, where, log);
  const configurations = CONFIGURATIONS.map((key) => metadata?.[key]).filter((value) => value !== undefined);
  for (const config of configurations) auditKerasConfig(config, where, log);
  // A file that is damaged, or a configuration that is no JSON: other readers may see more in it.
  const isDamaged = log.hasSeen("hdf5-damaged-attribute") || log.hasSeen("hdf5-damaged-object");
  if (!metadata || isDamaged || configurations.some((config) => typeof config === "string")) await findLambda(source, where, log);
}

/** The configuration in a `.keras` model. */
export async function auditKerasJson(source: ByteSource, where: string, log: AuditLog): Promise<void> {
  if (source.size > log.limits.headerBytes) {
    log.note(
      "limit-reached",
      `The configuration has ${source.size} bytes, over the limit "headerBytes" of ${log.limits.headerBytes}.`,
      where,
    );
    return findLambda(source, where, log);
  }
  const text = new TextDecoder().decode((await source.read(0, source.size, log.options)).slice());
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch {
    log.note("keras-config", "The configuration is no valid JSON.", where);
    return findLambda(source, where, log);
  }
  auditKerasConfig(config, where, log);
}

/** A configuration of Keras that stands alone, as `model.to_json()` gives it; other JSON is left. */
export async function auditLooseJson(source: ByteSource, where: string, log: AuditLog): Promise<void> {
  if (!/\.json$/i.test(where) || source.size > log.limits.headerBytes) return;
  const text = new TextDecoder().decode((await source.read(0, source.size, log.options)).slice());
  if (!text.includes('"class_name"')) return;
  try {
    auditKerasConfig(JSON.parse(text), where, log);
  } catch {
    if (LAMBDA.test(text)) noteLambda(where, log);
  }
}

/** Looks for layers that hold compiled code in bytes that could not be read as what they are. */
async function findLambda(source: ByteSource, where: string, log: AuditLog): Promise<void> {
  for (let at = 0; at < Math.min(source.size, MOST_KERAS_BYTES); at += PIECE_BYTES) {
    const text = new TextDecoder("latin1").decode(
      (await source.read(at, Math.min(source.size, at + PIECE_BYTES + OVERLAP_BYTES), log.options)).slice(),
    );
    if (LAMBDA.test(text)) return noteLambda(where, log);
  }
}
