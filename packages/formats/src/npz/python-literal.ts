/** A value of a Python literal. Dictionaries are Maps, tuples and lists are arrays. */
export type Literal = null | boolean | number | string | Literal[] | Map<string, Literal>;

/** Tuples and lists within each other: structured dtypes nest a few levels. */
const MOST_DEPTH = 32;
const SPACE = /[ \t\n\r]*/y;
/** Python 2 wrote long integers with an L behind them. */
const INTEGER = /-?[0-9]+L?/y;
const WORD = /[A-Za-z]+/y;
const STRING = /[bu]?(?:'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)")/y;

/**
 * Reads text as a Python literal of numbers, strings, tuples, lists and dictionaries with strings as keys. Reads and never evaluates;
 * throws a plain Error that says where it stopped.
 */
export function parseLiteral(text: string): Literal {
  const parser = new Parser(text);
  const value = parser.value(0);
  parser.end();
  return value;
}

class Parser {
  #at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): Literal {
    if (depth > MOST_DEPTH) throw this.#error(`nesting of at most ${MOST_DEPTH} levels`);
    this.#skip(SPACE);
    switch (this.#text[this.#at]) {
      case "{":
        return this.#dictionary(depth);
      case "(":
        return this.#items(")", depth);
      case "[":
        return this.#items("]", depth);
    }
    const string = this.#skip(STRING);
    if (string) return unescaped(string[1] ?? string[2] ?? "");
    const integer = this.#skip(INTEGER);
    if (integer) {
      const value = Number(integer[0].replace("L", ""));
      if (Number.isSafeInteger(value)) return value;
      throw this.#error("an integer within 2^53 - 1");
    }
    const word = this.#skip(WORD)?.[0];
    if (word === "True" || word === "False") return word === "True";
    if (word === "None") return null;
    throw this.#error("a value");
  }

  end(): void {
    this.#skip(SPACE);
    if (this.#at < this.#text.length) throw this.#error("the end");
  }

  #error(expected: string): Error {
    return new Error(
      `at character ${this.#at} ${expected} was expected, and ${JSON.stringify(this.#text.slice(this.#at, this.#at + 20))} found`,
    );
  }

  #skip(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match) this.#at = pattern.lastIndex;
    return match;
  }

  #take(token: string): boolean {
    this.#skip(SPACE);
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  #items(close: string, depth: number): Literal[] {
    const items: Literal[] = [];
    this.#at++;
    while (!this.#take(close)) {
      items.push(this.value(depth + 1));
      if (this.#take(",")) continue;
      if (this.#take(close)) break;
      throw this.#error(`',' or '${close}'`);
    }
    return items;
  }

  #dictionary(depth: number): Map<string, Literal> {
    const entries = new Map<string, Literal>();
    this.#at++;
    while (!this.#take("}")) {
      const key = this.value(depth + 1);
      if (typeof key !== "string") throw this.#error("a string as key before it");
      if (entries.has(key)) throw this.#error("another key before it");
      if (!this.#take(":")) throw this.#error("':'");
      entries.set(key, this.value(depth + 1));
      if (this.#take(",")) continue;
      if (this.#take("}")) break;
      throw this.#error("',' or '}'");
    }
    return entries;
  }
}

/** Escapes that names of fields are written with. */
const unescaped = (text: string): string =>
  text.replace(/\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))/g, (_, byte?: string, unit?: string, other?: string) => {
    const code = byte ?? unit;
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
    return other === "n" ? "\n" : other === "t" ? "\t" : other === "r" ? "\r" : (other ?? "");
  });
