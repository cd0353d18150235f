import { CheckpointError, type Finding } from "@ckptkit/core";
import type { PickleGlobalUse } from "./machine.js";
import { machineFor, type Pickle, type ReadPickleOptions, resultOf } from "./read-pickle.js";
import { run } from "./run.js";
import type { PickleCall, PicklePersistent } from "./values.js";

/** A call that a stream describes, and the byte offset of its opcode. */
export interface TracedCall {
  readonly call: PickleCall;
  readonly offset: number;
}

/** Everything that a stream would have imported and called, up to its STOP opcode or up to the place where it breaks. */
export interface PickleTrace {
  /** The stream as {@link readPickle} gives it; undefined when it breaks off. */
  readonly pickle?: Pickle | undefined;
  /** Why the stream could not be read to its STOP: PICKLE_CORRUPT, PICKLE_TRUNCATED, PICKLE_UNSUPPORTED or LIMIT_EXCEEDED. */
  readonly error?: CheckpointError | undefined;
  readonly globals: readonly PickleGlobalUse[];
  readonly calls: readonly TracedCall[];
  /** Every reference to something outside of the stream, such as a tensor's storage. */
  readonly persistents: readonly PicklePersistent[];
  readonly findings: readonly Finding[];
  /** Byte offset after the STOP opcode, or of the opcode at which the stream breaks. */
  readonly end: number;
}

/**
 * Reads a stream with the machine of {@link readPickle}, and tells what it saw also where the stream is broken: Python carries out
 * all that stands in front of a defect before it notices. Nothing is imported or called here.
 *
 * @throws {CheckpointConfigError} INVALID_ARGUMENT when `start` is no offset in the bytes; never for what the bytes say.
 * @example
 * const { globals } = tracePickle(new TextEncoder().encode("cos\nsystem\n")); // os.system, although the stream is cut off
 */
export function tracePickle(bytes: Uint8Array, options: ReadPickleOptions = {}): PickleTrace {
  const machine = machineFor(bytes, options);
  const offsets: number[] = [];
  machine.callOffsets = offsets;
  machine.persistents = [];
  let pickle: Pickle | undefined;
  let error: CheckpointError | undefined;
  try {
    pickle = resultOf(machine, run(machine));
  } catch (caught) {
    if (!(caught instanceof CheckpointError)) throw caught;
    error = caught;
  }
  return {
    pickle,
    error,
    globals: machine.globals,
    calls: machine.calls.map((call, index) => ({ call, offset: offsets[index] ?? machine.start })),
    persistents: machine.persistents,
    findings: machine.findings(),
    end: pickle ? pickle.end : machine.at,
  };
}
