import type { CheckpointError } from "@ckptkit/core";
import { isPickleNode, type PickleTrace, tracePickle } from "@ckptkit/pickle";
import type { AuditLog } from "./audit-log.js";
import { joblibArrays } from "./joblib-arrays.js";
import { judgeCalls } from "./judge-calls.js";

/** The number that begins a legacy torch file. @see https://github.com/pytorch/pytorch torch/serialization.py, MAGIC_NUMBER */
const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;
/** Pickles in a legacy torch file before its storages. */
const LEGACY_PICKLES = 5;
/** Pickles in a row that are read. */
const MOST_PICKLES = 100_000;
/** Opcodes over so many bytes are no coincidence. */
const LONG_BYTES = 64 * 1024;
/** Pickles within pickles that are followed. */
const MOST_DEPTH = 8;

/** What the pickles of some bytes were. */
export interface AuditedPickles {
  /** How many came to their STOP. */
  readonly complete: number;
  /** Byte offset after the last of them. */
  readonly end: number;
  readonly isLegacyTorch: boolean;
  /** Keys of the storages that they refer to. */
  readonly storages: ReadonlySet<string>;
  /** Why the last one broke off. */
  readonly error?: CheckpointError | undefined;
}

/**
 * Audits the pickles that stand one after the other in some bytes, with the machine that reads them.
 *
 * @param where the name of the place, for people: `archive/data.pkl`.
 * @param isAlone whether more than one is itself suspicious, as in an archive's data.pkl.
 */
export function auditPickles(bytes: Uint8Array, where: string, log: AuditLog, isAlone: boolean, depth = 0): AuditedPickles {
  const storages = new Set<string>();
  let at = 0;
  let complete = 0;
  let isLegacyTorch = false;
  let isComputed = false;
  while (at < bytes.length && complete < MOST_PICKLES) {
    log.options.signal?.throwIfAborted();
    const trace = traceWithArrays(bytes, at, where, log, depth);
    if (complete > 0 && isStray(trace)) break;
    report(trace, where, log, depth);
    for (const { id } of trace.persistents) {
      const [, , key] = isPickleNode(id) && id.kind === "tuple" ? id.items : [];
      if (typeof key === "string" || typeof key === "number") storages.add(String(key));
    }
    if (!trace.pickle) return { complete, end: trace.end, isLegacyTorch, storages, error: trace.error };
    at = trace.end;
    if (complete === 0) {
      isLegacyTorch = trace.pickle.value === LEGACY_MAGIC;
      isComputed = isPickleNode(trace.pickle.value) && trace.pickle.value.kind === "call";
    }
    if (complete === 1 && isComputed && trace.pickle.value === 1001) {
      log.note("legacy-magic-computed", "The magic number of the file is the result of a call.", `${where}: byte 0`);
    }
    complete++;
    if (isLegacyTorch && complete === LEGACY_PICKLES) break;
  }
  if (complete >= MOST_PICKLES) log.note("limit-reached", `More than ${MOST_PICKLES} pickles stand in a row.`, where);
  if (complete > 1 && !isLegacyTorch && !isComputed) {
    const message = `${complete} pickles stand one behind the other.`;
    log.note(isAlone ? "pickle-after-stop" : "several-pickles", message, where);
  }
  if (at < bytes.length && !isLegacyTorch) {
    log.note("trailing-data", `${bytes.length - at} bytes that are no pickle follow the end of the pickle.`, `${where}: byte ${at}`);
  }
  return { complete, end: at, isLegacyTorch, storages };
}

/** Reads a pickle as joblib does, which skips the bytes of arrays within it; what pickle.load would see in those bytes is noted as well. */
function traceWithArrays(bytes: Uint8Array, start: number, where: string, log: AuditLog, depth: number): PickleTrace {
  let hasArrays = false;
  const rawBytes = joblibArrays(bytes, (offset) => {
    const inner = tracePickle(bytes, { start: offset, limits: log.limits });
    report(inner, where, log, depth);
    return inner.pickle ? inner.end - offset : undefined;
  });
  const trace = tracePickle(bytes, {
    start,
    limits: log.limits,
    rawBytes: (filled, offset) => {
      const count = rawBytes(filled, offset);
      hasArrays ||= count !== undefined;
      return count;
    },
  });
  if (!hasArrays) return trace;
  for (const { module, name, offset } of tracePickle(bytes, { start, limits: log.limits }).globals) {
    if (/^[\w.]+$/.test(module) && log.isBad(module, name)) log.use(module, name, `${where}: byte ${offset}`);
  }
  return trace;
}

/** Bytes behind a pickle that are no pickle of their own: they break at once, and name nothing. */
const isStray = (trace: PickleTrace): boolean =>
  trace.pickle === undefined &&
  trace.globals.length === 0 &&
  trace.error?.code !== "LIMIT_EXCEEDED" &&
  trace.error?.code !== "PICKLE_UNSUPPORTED";

function report(trace: PickleTrace, where: string, log: AuditLog, depth: number): void {
  for (const { module, name, offset } of trace.globals) log.use(module, name, `${where}: byte ${offset}`);
  judgeCalls(trace, where, log, (bytes, place) => auditInner(bytes, place, log, depth + 1));
  for (const finding of trace.findings) log.pass({ ...finding, at: `${where}${finding.at ? `: ${finding.at}` : ""}` });
  const { error } = trace;
  if (error) log.note(ruleOfBreak(error, trace), error.message, `${where}: byte ${trace.end}`);
}

function ruleOfBreak({ code }: CheckpointError, trace: PickleTrace): string {
  if (code === "LIMIT_EXCEEDED") return "limit-reached";
  if (code === "PICKLE_UNSUPPORTED") return "pickle-extension";
  return trace.globals.some(({ name }) => /^(?:Numpy|ND|ZND)ArrayWrapper$/.test(name)) ? "raw-array" : "pickle-broken";
}

/** Audits bytes that a pickle would load in its turn. Tells whether they were a pickle. */
function auditInner(bytes: Uint8Array, place: string, log: AuditLog, depth: number): boolean {
  if (depth > MOST_DEPTH) {
    log.note("limit-reached", `Pickles lie within pickles, more than ${MOST_DEPTH} deep.`, place);
    return true;
  }
  if (!looksLikePickle(bytes, log)) return false;
  const { isLegacyTorch, complete } = auditPickles(bytes, `${place} > inner`, log, false, depth);
  return isLegacyTorch || complete > 0 || bytes[0] === 0x80;
}

/**
 * Whether bytes are to be taken as a pickle: they begin with PROTO, or come to a STOP at their end without one, or name something that
 * is not harmless on their way, or go on as one to where they are cut off.
 *
 * @param strict whether PROTO alone says nothing.
 */
export function looksLikePickle(bytes: Uint8Array, log: AuditLog, strict = false): boolean {
  if (!strict && bytes[0] === 0x80 && (bytes[1] ?? 0xff) <= 5) return true;
  const { pickle, globals, error, end } = tracePickle(bytes, { limits: log.limits });
  if (pickle) return globals.length > 0 || (pickle.end === bytes.length && pickle.opcodes > 2);
  if (error?.code === "PICKLE_TRUNCATED" && end > LONG_BYTES) return true;
  return globals.some(({ module, name }) => /^[\w.]+$/.test(module) && log.isBad(module, name));
}
