import { CheckpointLoadError, type ErrorCode } from "@ckptkit/core";

/** A parsed value. Objects are Maps, so that no key has a meaning of its own. */
export type StrictJson = null | boolean | number | string | StrictJson[] | Map<string, StrictJson>;

/** What {@link parseStrictJson} gives besides the value. */
export interface StrictJsonResult {
  value: StrictJson;
  /** Keys that stood twice in one object, with the value that the later one replaced. */
  duplicates: { parent: Map<string, StrictJson>; key: string; replaced: StrictJson }[];
  /**
   * Lists and objects that hold a number which is no exact integer, whatever its value here: written with a fraction or an
   * exponent, or beyond 2^53 - 1.
   */
  inexact: Set<StrictJson[] | Map<string, StrictJson>>;
}

/** Levels of nesting that serde_json allows. @see https://docs.rs/serde_json/latest/serde_json/struct.Deserializer.html */
const DEPTH_LIMIT = 127;
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these in strings (RFC 8259, section 7)
const PLAIN_STRING = /"([^"\\\u0000-\u001f]*)"/y;
const SPACE = /[ \t\n\r]*/y;

/**
 * Parses JSON as RFC 8259 has it, and tells what `JSON.parse` hides: repeated keys, integers that would be rounded, and
 * lone surrogates (an error, as in the reference implementation).
 *
 * @param what names the text in errors.
 * @param code of the errors.
 * @throws {CheckpointLoadError} with that code, and the position of the defect
 * @see https://www.rfc-editor.org/rfc/rfc8259
 */
export function parseStrictJson(text: string, what: string, code: ErrorCode): StrictJsonResult {
  return new Parser(text, what, code).run();
}

class Parser {
  #at = 0;
  #depth = 0;
  readonly #duplicates: StrictJsonResult["duplicates"] = [];
  readonly #inexact: StrictJsonResult["inexact"] = new Set();

  constructor(
    readonly text: string,
    readonly what: string,
    readonly code: ErrorCode,
  ) {}

  run(): StrictJsonResult {
    const value = this.#value(undefined);
    this.#skip(SPACE);
    if (this.#at < this.text.length) throw this.#error("the end of the text");
    return { value, duplicates: this.#duplicates, inexact: this.#inexact };
  }

  #error(expected: string): CheckpointLoadError {
    const found = this.#at < this.text.length ? JSON.stringify(this.text.slice(this.#at, this.#at + 20)) : "the end was";
    return new CheckpointLoadError(
      this.code,
      `${this.what} is not valid JSON: at character ${this.#at} ${expected} was expected, but ${found} found.`,
      {
        details: { at: this.#at },
      },
    );
  }

  #skip(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.text);
    if (match) this.#at = pattern.lastIndex;
    return match;
  }

  #take(token: string): boolean {
    if (!this.text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  #value(parent: StrictJson[] | Map<string, StrictJson> | undefined): StrictJson {
    this.#skip(SPACE);
    switch (this.text[this.#at]) {
      case "{":
        return this.#nested(() => this.#object());
      case "[":
        return this.#nested(() => this.#array());
      case '"':
        return this.#string();
      case "t":
        if (this.#take("true")) return true;
        break;
      case "f":
        if (this.#take("false")) return false;
        break;
      case "n":
        if (this.#take("null")) return null;
        break;
    }
    return this.#number(parent);
  }

  #nested<T>(parse: () => T): T {
    if (++this.#depth > DEPTH_LIMIT) throw this.#error(`nesting of at most ${DEPTH_LIMIT} levels`);
    const value = parse();
    this.#depth--;
    return value;
  }

  #number(parent: StrictJson[] | Map<string, StrictJson> | undefined): number {
    const match = this.#skip(NUMBER);
    if (!match) throw this.#error("a value");
    const value = Number(match[0]);
    if (!Number.isFinite(value)) {
      this.#at -= match[0].length;
      throw this.#error("a number of float64");
    }
    if (parent && (match[1] !== undefined || match[2] !== undefined || !Number.isSafeInteger(value))) this.#inexact.add(parent);
    return value;
  }

  #string(): string {
    const plain = this.#skip(PLAIN_STRING);
    let value: string;
    if (plain) value = plain[1] ?? "";
    else {
      const end = this.#endOfString();
      try {
        value = JSON.parse(this.text.slice(this.#at, end)) as string; // the slice begins and ends with a quote
      } catch {
        throw this.#error("a string");
      }
      this.#at = end;
    }
    if (!value.isWellFormed()) throw this.#error("a string without lone surrogates");
    return value;
  }

  #endOfString(): number {
    for (let at = this.#at + 1; at < this.text.length; at++) {
      const character = this.text[at];
      if (character === "\\") at++;
      else if (character === '"') return at + 1;
    }
    throw this.#error("a closing quote");
  }

  #array(): StrictJson[] {
    const items: StrictJson[] = [];
    this.#at++;
    this.#skip(SPACE);
    if (this.#take("]")) return items;
    for (;;) {
      items.push(this.#value(items));
      this.#skip(SPACE);
      if (this.#take("]")) return items;
      if (!this.#take(",")) throw this.#error("',' or ']'");
    }
  }

  #object(): Map<string, StrictJson> {
    const entries = new Map<string, StrictJson>();
    this.#at++;
    this.#skip(SPACE);
    if (this.#take("}")) return entries;
    for (;;) {
      this.#skip(SPACE);
      if (this.text[this.#at] !== '"') throw this.#error("a key in quotes");
      const key = this.#string();
      const replaced = entries.get(key);
      if (replaced !== undefined) this.#duplicates.push({ parent: entries, key, replaced });
      this.#skip(SPACE);
      if (!this.#take(":")) throw this.#error("':'");
      entries.set(key, this.#value(entries));
      this.#skip(SPACE);
      if (this.#take("}")) return entries;
      if (!this.#take(",")) throw this.#error("',' or '}'");
    }
  }
}
