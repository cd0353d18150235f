import { CheckpointConfigError, type Finding, type Limits } from "@ckptkit/core";
import { Machine, type PickleGlobalUse, type RawBytes } from "./machine.js";
import { HIGHEST_PROTOCOL, opcodeOf } from "./opcodes.js";
import { run } from "./run.js";
import type { PickleCall, PickleValue } from "./values.js";

/** How a pickle is read. */
export interface ReadPickleOptions {
  /** Byte offset of the stream's first opcode. Streams that follow each other start at the `end` of the one before. */
  start?: number;
  limits?: Partial<Limits>;
  /** Asked after each BUILD: see {@link RawBytes}. */
  rawBytes?: RawBytes | undefined;
}

/** One pickle stream as inert data. */
export interface Pickle {
  readonly value: PickleValue;
  /** The declared protocol; without a PROTO opcode the lowest one that has all opcodes of the stream. */
  readonly protocol: number;
  /** Byte offset of the first opcode. */
  readonly start: number;
  /** Byte offset after the STOP opcode. */
  readonly end: number;
  /** Every place that names something to import, in the order of the stream, whether or not its value reached the result. */
  readonly globals: readonly PickleGlobalUse[];
  /** Every call in the order of the stream, whether or not its value reached the result. */
  readonly calls: readonly PickleCall[];
  readonly findings: readonly Finding[];
  /** Number of opcodes. */
  readonly opcodes: number;
}

/**
 * Reads one pickle stream, protocol 0 to 5, up to its STOP opcode. Nothing is imported, called or evaluated: names, calls and states
 * come back as nodes. The time taken is proportional to the stream's length.
 *
 * Bytes values are views of `bytes`: leave it unchanged while they are in use.
 *
 * @throws {CheckpointLoadError} PICKLE_CORRUPT, PICKLE_TRUNCATED, PICKLE_UNSUPPORTED or LIMIT_EXCEEDED; `details` has the byte
 *   `offset`, the `opcode`, and in `globals` the names that the stream had mentioned until then.
 * @throws {CheckpointConfigError} INVALID_ARGUMENT when `start` is no offset in the bytes.
 * @see https://docs.python.org/3/library/pickletools.html
 * @example
 * const { value } = readPickle(new Uint8Array([0x80, 2, 0x4b, 42, 0x2e])); // 42
 */
export function readPickle(bytes: Uint8Array, options: ReadPickleOptions = {}): Pickle {
  const machine = machineFor(bytes, options);
  return resultOf(machine, run(machine));
}

/** The machine for one stream. @throws {CheckpointConfigError} INVALID_ARGUMENT */
export function machineFor(bytes: Uint8Array, options: ReadPickleOptions): Machine {
  const start = options.start ?? 0;
  if (!Number.isSafeInteger(start) || start < 0 || start > bytes.length) {
    throw new CheckpointConfigError("INVALID_ARGUMENT", `A pickle cannot start at ${start}: there are ${bytes.length} bytes.`, {
      details: { start, size: bytes.length },
    });
  }
  const machine = new Machine(bytes, start, options.limits);
  machine.rawBytes = options.rawBytes;
  return machine;
}

/** What a machine has seen that came to STOP. */
export function resultOf(machine: Machine, value: PickleValue): Pickle {
  const { protocol, opcodes } = finish(machine);
  return {
    value,
    protocol,
    start: machine.start,
    end: machine.pos,
    globals: machine.globals,
    calls: machine.calls,
    findings: machine.findings(),
    opcodes,
  };
}

/** What can only be judged when STOP has been reached. */
function finish(machine: Machine): { protocol: number; opcodes: number } {
  const left = machine.depth + machine.marks.length;
  if (left > 0) {
    machine.note("pickle-stack-leftover", "warning", `${left} values or marks are left on the stack at STOP.`);
  }
  if (machine.frameEnd !== Number.MAX_SAFE_INTEGER && machine.frameEnd > machine.pos) {
    machine.note("pickle-frame", "error", `A frame ends at byte ${machine.frameEnd}, but STOP at ${machine.pos}.`);
  }
  let opcodes = 0;
  let newest = { name: "", protocol: 0 };
  for (const [byte, count] of machine.counts.entries()) {
    if (count === 0) continue;
    opcodes += count;
    const opcode = opcodeOf(byte);
    if (opcode && opcode.protocol > newest.protocol) newest = opcode;
  }
  const declared = machine.protocol < 0 ? undefined : machine.protocol;
  // Protocols 0 and 1 have no PROTO opcode.
  if (newest.protocol > Math.max(declared ?? 1, 1)) {
    const says = declared === undefined ? "declares no protocol" : `declares protocol ${declared}`;
    machine.note("pickle-protocol", "warning", `The stream ${says}, but has ${newest.name} of protocol ${newest.protocol}.`);
  }
  return { protocol: Math.min(declared ?? newest.protocol, HIGHEST_PROTOCOL), opcodes };
}
