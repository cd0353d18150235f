import { CheckpointLoadError } from "@ckptkit/core";

/** States that a pattern may have: adapters in use have a few dozen. */
const MOST_STATES = 20_000;

type Test = (character: string) => boolean;
/** One state: a character to match, a place that must hold, or where to go on without reading. */
type State = { test: Test; next: number } | { at: "start" | "end"; next: number } | { next: readonly number[] } | undefined;

/**
 * Compiles a regular expression of Python's `re` that must match a whole text. An adapter's configuration is a stranger's, so it runs
 * as a set of states, in time proportional to pattern x text; backtracking could take for ever.
 *
 * Understands literals, `.`, classes, `\d \w \s` and their opposites, groups, `|`, `* + ? {m,n}` (greedy or not) and anchors.
 *
 * @throws {CheckpointLoadError} ADAPTER_CONFIG for anything else, such as look-ahead and back references
 * @see https://docs.python.org/3/library/re.html#regular-expression-syntax
 * @example pythonPattern(String.raw`(.*\.)?(layers\.[0-9]+\.q_proj)`)("model.layers.3.q_proj") // true
 */
export function pythonPattern(pattern: string): (text: string) => boolean {
  return new Compiler(pattern).compile();
}

class Compiler {
  readonly #pattern: string;
  readonly #characters: readonly string[];
  readonly #states: State[] = [undefined]; // state 0 accepts
  #at = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
    this.#characters = [...pattern];
  }

  compile(): (text: string) => boolean {
    const start = this.#alternatives(0)();
    if (this.#at < this.#characters.length) throw this.#bad(`an unexpected "${this.#peek()}"`);
    const states = this.#states;
    return (text) => matches(states, start, [...text]);
  }

  #peek(): string | undefined {
    return this.#characters[this.#at];
  }

  #take(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#at++;
    return true;
  }

  #add(state: State): number {
    if (this.#states.length >= MOST_STATES) throw this.#bad("too many repetitions");
    return this.#states.push(state) - 1;
  }

  /** Each part is parsed once and gives a function that builds its states before a `next`: repetitions build them anew. */
  #alternatives(depth: number): Build {
    if (depth > 100) throw this.#bad("groups nested too deeply");
    const options = [this.#sequence(depth)];
    while (this.#take("|")) options.push(this.#sequence(depth));
    return (next = 0) => (options.length === 1 ? (options[0]?.(next) ?? next) : this.#add({ next: options.map((build) => build(next)) }));
  }

  #sequence(depth: number): Build {
    const parts: Build[] = [];
    for (let next = this.#peek(); next !== undefined && next !== "|" && next !== ")"; next = this.#peek())
      parts.push(this.#repeated(depth));
    return (next = 0) => parts.reduceRight((after, build) => build(after), next);
  }

  #repeated(depth: number): Build {
    const one = this.#atom(depth);
    const bounds = this.#bounds();
    if (!bounds) return one;
    const { least, most } = bounds;
    if (this.#peek() === "+") throw this.#bad("a possessive quantifier");
    this.#take("?"); // the laziest match of a whole text is the same match
    if (this.#bounds()) throw this.#bad("a repeated quantifier");
    return (next = 0) => {
      let start = next;
      if (most === undefined) {
        const loop: { next: number[] } = { next: [] };
        start = this.#add(loop);
        loop.next.push(one(start), next);
      } else for (let count = least; count < most; count++) start = this.#add({ next: [one(start), next] });
      for (let count = 0; count < least; count++) start = one(start);
      return start;
    };
  }

  /** A quantifier, if one follows. */
  #bounds(): { least: number; most: number | undefined } | undefined {
    if (this.#take("*")) return { least: 0, most: undefined };
    if (this.#take("+")) return { least: 1, most: undefined };
    if (this.#take("?")) return { least: 0, most: 1 };
    const braces = /^\{(\d{0,4})(,?)(\d{0,4})\}/.exec(this.#characters.slice(this.#at, this.#at + 12).join(""));
    if (!braces || (braces[1] === "" && braces[3] === "")) return undefined;
    this.#at += braces[0].length;
    const least = Number(braces[1]);
    const most = braces[2] === "" ? least : braces[3] === "" ? undefined : Number(braces[3]);
    if (most !== undefined && most < least) throw this.#bad("a quantifier whose bounds are the wrong way round");
    return { least, most };
  }

  #atom(depth: number): Build {
    const character = this.#peek();
    this.#at++;
    if (character === "^") return (next = 0) => this.#add({ at: "start", next });
    if (character === "$") return (next = 0) => this.#add({ at: "end", next });
    if (character === ".") return this.#one((each) => each !== "\n");
    if (character === "[") return this.#one(this.#characterClass());
    if (character === "\\") return this.#one(this.#escape());
    if (character === "(") {
      if (this.#take("?") && !this.#take(":")) throw this.#bad("a group of a kind that is not supported");
      const inside = this.#alternatives(depth + 1);
      if (!this.#take(")")) throw this.#bad("a group without its end");
      return inside;
    }
    if (character === undefined || "*+?".includes(character)) throw this.#bad("a quantifier with nothing before it");
    return this.#one((each) => each === character);
  }

  #one(test: Test): Build {
    return (next = 0) => this.#add({ test, next });
  }

  #escape(): Test {
    const character = this.#peek();
    this.#at++;
    const test = character === undefined ? undefined : ESCAPES[character];
    if (test) return test;
    if (character === undefined || /[a-zA-Z0-9]/.test(character)) throw this.#bad(`an escape that is not supported: \\${character ?? ""}`);
    return (each) => each === character;
  }

  #characterClass(): Test {
    const negated = this.#take("^");
    const tests: Test[] = [];
    for (let first = true; first || this.#peek() !== "]"; first = false) {
      const from = this.#peek();
      this.#at++;
      if (from === undefined) throw this.#bad("a class without its end");
      if (from === "\\") {
        tests.push(this.#escape());
        continue;
      }
      const to = this.#characters[this.#at + 1];
      if (this.#peek() === "-" && to !== undefined && to !== "]") {
        if (to === "\\" || to < from) throw this.#bad("a range that is not supported");
        this.#at += 2;
        tests.push((each) => each >= from && each <= to);
      } else tests.push((each) => each === from);
    }
    this.#at++;
    return (each) => tests.some((test) => test(each)) !== negated;
  }

  #bad(what: string): CheckpointLoadError {
    return new CheckpointLoadError("ADAPTER_CONFIG", `The pattern ${JSON.stringify(this.#pattern)} holds ${what}.`, {
      details: { pattern: this.#pattern, at: this.#at },
      suggestions: ["Write the names of the modules out in rank_pattern and alpha_pattern."],
    });
  }
}

/** Adds the states of a part that goes on to `next`, and gives the first of them. */
type Build = (next?: number) => number;

const opposite =
  (test: Test): Test =>
  (each) =>
    !test(each);
const isDigit: Test = (each) => /\p{Nd}/u.test(each);
const isWord: Test = (each) => /[\p{L}\p{N}_]/u.test(each);
const isSpace: Test = (each) => /\s/u.test(each);
const ESCAPES: Readonly<Record<string, Test>> = {
  d: isDigit,
  D: opposite(isDigit),
  w: isWord,
  W: opposite(isWord),
  s: isSpace,
  S: opposite(isSpace),
};

function matches(states: readonly State[], start: number, text: readonly string[]): boolean {
  let current = reach(states, [start], 0, text.length);
  for (const [index, character] of text.entries()) {
    const next: number[] = [];
    for (const id of current) {
      const state = states[id];
      if (state && "test" in state && state.test(character)) next.push(state.next);
    }
    current = reach(states, next, index + 1, text.length);
    if (current.size === 0) return false;
  }
  return current.has(0);
}

/** All states that are reached without reading. */
function reach(states: readonly State[], from: readonly number[], place: number, end: number): Set<number> {
  const reached = new Set<number>();
  const open = [...from];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (reached.has(id)) continue;
    reached.add(id);
    const state = states[id];
    if (!state || "test" in state) continue;
    if ("at" in state) {
      if (place === (state.at === "start" ? 0 : end)) open.push(state.next);
    } else open.push(...state.next);
  }
  return reached;
}
