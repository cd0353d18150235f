import { CheckpointLoadError, type ErrorCode, type Finding, type LimitName, type Limits, type Severity, withLimits } from "@ckptkit/core";
import { Indexes } from "./entries.js";
import { Keys } from "./keys.js";
import { Memo } from "./memo.js";
import { opcodeLabel } from "./opcodes.js";
import { normalizeGlobal } from "./python2-names.js";
import { isPickleNode, type PickleCall, type PickleGlobal, type PickleNode, type PicklePersistent, type PickleValue } from "./values.js";

/** One place where a stream names something to be imported. */
export interface PickleGlobalUse {
  /** As the stream spells it, before Python 2 names are translated. */
  readonly module: string;
  readonly name: string;
  /** Byte offset of the opcode. */
  readonly offset: number;
  readonly opcode: "GLOBAL" | "STACK_GLOBAL" | "INST";
}

/**
 * Tells how many bytes that are no opcodes follow the BUILD which filled an object, as joblib writes the numbers of an array behind it;
 * undefined for none. The offset is that of the first of them.
 */
export type RawBytes = (filled: PickleNode, offset: number) => number | undefined;

/** Findings of one rule that are listed one by one. A hostile stream could make millions. */
const FINDINGS_PER_RULE = 8;

/** Distinct names that an error carries. */
const GLOBALS_IN_ERROR = 10_000;

/** What a stream is doing: its bytes, stack, memo, and everything that was noted on the way. */
export class Machine {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly start: number;
  readonly limits: Limits;
  /** Where reading must stop: the end of the bytes or of the size limit. */
  readonly end: number;
  /** Offset of the next byte to be read. */
  pos: number;
  /** Offset of the opcode in work. */
  at: number;
  /** End of the frame in work; beyond the end when there is none. */
  frameEnd = Number.MAX_SAFE_INTEGER;

  /** Values live in [0, depth); what lies above is garbage. */
  readonly stack: PickleValue[] = [];
  depth = 0;
  /** Stack depths at which a MARK stands. */
  readonly marks: number[] = [];
  /** Depth of the topmost MARK: nothing below it can be popped. */
  fence = 0;
  readonly memo = new Memo();

  /** What the last PROTO said; -1 before there is one. */
  protocol = -1;
  /** Opcodes met, by their byte. */
  readonly counts: Uint32Array = new Uint32Array(256);
  nodes = 0;
  /** Out-of-band buffers met. */
  buffers = 0;
  /** Items and bytes that were copied to show a call as the value that it makes. Picklers write each item once. */
  copied = 0;

  readonly keys = new Keys();
  readonly indexes = new Indexes();
  /** The keys of the last small mapping, by how many keys and values it had, where they are text or numbers. */
  readonly lastKeys: (readonly PickleValue[] | undefined)[] = new Array<undefined>(17).fill(undefined);
  readonly globals: PickleGlobalUse[] = [];
  readonly calls: PickleCall[] = [];
  /** Byte offsets of the opcodes that made the calls, kept only where someone asks: most readers do not. */
  callOffsets: number[] | undefined;
  rawBytes: RawBytes | undefined;
  /** What the stream refers to outside of itself, kept only where someone asks. */
  persistents: PicklePersistent[] | undefined;
  readonly #globalNodes = new Map<string, PickleGlobal>();
  readonly #findings: Finding[] = [];
  readonly #perRule = new Map<string, number>();

  constructor(bytes: Uint8Array, start: number, limits: Partial<Limits> | undefined) {
    // Shared memory could change under the machine, and text decoders refuse it.
    const shared = typeof SharedArrayBuffer !== "undefined" && bytes.buffer instanceof SharedArrayBuffer;
    this.bytes = shared ? bytes.slice() : bytes;
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
    this.start = start;
    this.limits = withLimits(limits);
    this.end = Math.min(bytes.length, start + this.limits.pickleBytes);
    this.pos = start;
    this.at = start;
  }

  push(value: PickleValue): void {
    this.stack[this.depth++] = value;
  }

  pop(): PickleValue {
    if (this.depth <= this.fence) throw this.underflow();
    const value = this.stack[--this.depth];
    return value === undefined ? null : value;
  }

  top(): PickleValue {
    if (this.depth <= this.fence) throw this.underflow();
    const value = this.stack[this.depth - 1];
    return value === undefined ? null : value;
  }

  /** Takes the topmost MARK away. Returns the depth at which it stood. */
  popMark(): number {
    const mark = this.marks.pop();
    if (mark === undefined) throw this.corrupt("a MARK on the stack", "none");
    this.fence = this.marks[this.marks.length - 1] ?? 0;
    return mark;
  }

  /** Takes everything above the topmost MARK, and the MARK. */
  popToMark(): PickleValue[] {
    const mark = this.popMark();
    const items = this.stack.slice(mark, this.depth);
    this.depth = mark;
    return items;
  }

  /** Pushes what stands in a memo slot. */
  recall(slot: number): void {
    const value = this.memo.get(slot);
    if (value === undefined) throw this.corrupt(`a value in memo slot ${slot}`, "none");
    this.stack[this.depth++] = value;
  }

  /** Puts the value on top into a memo slot. */
  store(slot: number): void {
    if (!this.memo.put(slot, this.top())) return;
    this.note("pickle-memo-overwrite", "warning", `Memo slot ${slot} is given another value: no pickler writes that.`);
  }

  /** Makes sure that `count` bytes are left. Called before anything is allocated. */
  need(count: number): void {
    if (count > this.end - this.pos) throw this.endOfBytes(`${count} more bytes`);
  }

  /** Goes on behind the bytes that follow an object which BUILD has filled. */
  skipRaw(filled: PickleNode): void {
    const count = this.rawBytes?.(filled, this.pos);
    if (count === undefined) return;
    if (!Number.isSafeInteger(count) || count < 0) throw this.corrupt("a number of bytes behind the object", String(count));
    this.need(count);
    // Whoever writes such bytes ends a frame in front of them.
    if (this.pos === this.frameEnd) this.frameEnd = Number.MAX_SAFE_INTEGER;
    this.pos += count;
  }

  /** Pushes a reference to something outside of the pickle. */
  refer(id: PickleValue): void {
    this.built();
    const node: PicklePersistent = { kind: "persistent", id };
    this.persistents?.push(node);
    this.push(node);
  }

  /** Counts one object that is built. */
  built(): void {
    if (++this.nodes > this.limits.pickleNodes) throw this.overLimit("pickleNodes", this.nodes);
  }

  /** Notes the use of a global and gives its node, the same for every use of the same name. */
  global(module: string, name: string, opcode: PickleGlobalUse["opcode"]): PickleGlobal {
    this.globals.push({ module, name, offset: this.at, opcode });
    // Python translates names up to protocol 2 only.
    const now = this.protocol < 3 ? normalizeGlobal(module, name) : { module, name };
    const key = `${now.module.length} ${now.module} ${now.name}`;
    let node = this.#globalNodes.get(key);
    if (!node) {
      this.built();
      node = { kind: "global", module: now.module, name: now.name };
      this.#globalNodes.set(key, node);
    }
    return node;
  }

  note(rule: string, severity: Severity, message: string): void {
    const before = this.#perRule.get(rule) ?? 0;
    this.#perRule.set(rule, before + 1);
    if (before < FINDINGS_PER_RULE) this.#findings.push({ rule, severity, message, at: `byte ${this.at}` });
  }

  /** Everything noted, with one line for the repetitions that were not listed. */
  findings(): Finding[] {
    const all = [...this.#findings];
    for (const [rule, times] of this.#perRule) {
      const last = this.#findings.findLast((finding) => finding.rule === rule);
      if (last && times > FINDINGS_PER_RULE) {
        all.push({ rule, severity: last.severity, message: `${times - FINDINGS_PER_RULE} more findings of this rule are not listed.` });
      }
    }
    return all;
  }

  underflow(): CheckpointLoadError {
    const why = this.marks.length > 0 ? "only a MARK" : "an empty stack";
    return this.corrupt("a value on the stack", why);
  }

  corrupt(expected: string, found: string): CheckpointLoadError {
    return this.fail("PICKLE_CORRUPT", `expected ${expected}, found ${found}`, { expected, found }, [
      "The file is damaged or made to deceive: do not load it with Python.",
    ]);
  }

  unsupported(why: string): CheckpointLoadError {
    return this.fail("PICKLE_UNSUPPORTED", why, {}, ["Save the object again with a pickle of protocol 0 to 5."]);
  }

  /** The bytes are used up, or the size limit is. */
  endOfBytes(expected: string): CheckpointLoadError {
    if (this.end < this.bytes.length) return this.overLimit("pickleBytes", this.end - this.start + 1);
    const found = `${this.end - this.pos} of ${this.bytes.length}`;
    return this.fail("PICKLE_TRUNCATED", `expected ${expected}, but ${found} bytes are left`, { expected, found }, [
      "Fetch the file again, or compare its size with the original's.",
    ]);
  }

  overLimit(limit: LimitName, found: number): CheckpointLoadError {
    const allowed = this.limits[limit];
    return this.fail("LIMIT_EXCEEDED", `${found} is over the limit "${limit}" of ${allowed}`, { limit, allowed, found }, [
      `If the file is known to be good, raise the limit: limits: { ${limit}: ${found} }, or --limit ${limit}=${found} on the command line.`,
    ]);
  }

  /** Every error says where it stands and which names were met before: a payload in front of the damage stays visible. */
  fail(code: ErrorCode, what: string, details: Record<string, unknown>, suggestions: readonly string[]): CheckpointLoadError {
    const opcode = this.at < this.end ? opcodeLabel(this.bytes[this.at] ?? 0) : "none";
    const names = new Set(this.globals.map((use) => `${use.module}.${use.name}`));
    const globals = [...names].slice(0, GLOBALS_IN_ERROR);
    return new CheckpointLoadError(code, `Pickle, opcode ${opcode} at byte ${this.at}: ${what}.`, {
      details: { offset: this.at, opcode, ...details, globals, globalsNotListed: names.size - globals.length, findings: this.findings() },
      suggestions,
    });
  }
}

/** What a value is, for messages. */
export function kindOf(value: PickleValue): string {
  if (value === null) return "None";
  if (value instanceof Uint8Array) return "bytes";
  if (isPickleNode(value)) return value.kind === "global" ? `global ${value.module}.${value.name}`.slice(0, 200) : value.kind;
  if (typeof value === "boolean") return "bool";
  if (typeof value === "string") return "str";
  return typeof value === "number" && !Number.isInteger(value) ? "float" : "int";
}
