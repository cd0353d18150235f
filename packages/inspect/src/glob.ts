import { CheckpointConfigError } from "@ckptkit/core";

/** Texts that the alternatives of one pattern may spell: `{a,b}` ten times over gives 1024. */
const MOST_ALTERNATIVES = 10_000;

/** What one character must be: that code point, what the function says, or ANY. */
type Token = number | ((point: number) => boolean);

/** `*`: any characters, also none. */
const ANY = -1;

/**
 * Tells whether a whole text matches a glob. `*` stands for any characters, dots and slashes as well; `?` for one; `{a,b}` for
 * either; `[0-9]` for one of a range and `[!0-9]` for one that is not; `\` takes the meaning from the character after it. The time
 * is at most that of the text times the pattern, whatever both are.
 *
 * @throws {CheckpointConfigError} INVALID_ARGUMENT when alternatives within one another spell too many texts
 * @example globMatcher("*.attn.*.weight")("blocks.0.attn.qkv.weight") // true
 */
export function globMatcher(pattern: string): (text: string) => boolean {
  const globs = alternatives(pattern).map(tokens);
  return (text) => globs.some((glob) => matches(glob, text));
}

/** Every character of a glob with what belongs to it: an escape, or a whole set. */
const PARTS = /\\.|\[!?\]?[^\]]*\]|[^]/gsu;

/** The globs without alternatives that a glob stands for: `a{b,c}` gives `ab` and `ac`. */
function alternatives(pattern: string): string[] {
  const parts = pattern.match(PARTS) ?? [];
  let at = 0;
  /** Up to the comma or brace that ends it; `nested` within braces. */
  const sequence = (nested: boolean): string[] => {
    let found = [""];
    for (; at < parts.length; at++) {
      const part = parts[at] ?? "";
      if (nested && (part === "," || part === "}")) break;
      found = joined(found, part === "{" ? braces() : [part], pattern);
    }
    return found;
  };
  /** From a brace to the one that closes it. Braces that are not closed, or hold no comma, are characters. */
  const braces = (): string[] => {
    const start = at++;
    const found = sequence(true);
    let commas = 0;
    for (; parts[at] === ","; commas++) {
      at++;
      found.push(...sequence(true));
    }
    if (parts[at] === "}") return commas > 0 ? found : found.map((text) => `\\{${text}\\}`);
    at = start;
    return ["\\{"];
  };
  return sequence(false);
}

function joined(heads: readonly string[], tails: readonly string[], pattern: string): string[] {
  if (heads.length * tails.length > MOST_ALTERNATIVES) {
    throw new CheckpointConfigError("INVALID_ARGUMENT", `The alternatives of the glob ${JSON.stringify(pattern.slice(0, 200))} spell more than ${MOST_ALTERNATIVES} texts.`, {
      suggestions: ["Use * in place of some of the alternatives."],
    });
  }
  return heads.flatMap((head) => tails.map((tail) => head + tail));
}

function tokens(glob: string): Token[] {
  return (glob.match(PARTS) ?? []).map((part) => {
    if (part === "*") return ANY;
    if (part === "?") return () => true;
    return part.length > 2 && part.startsWith("[") ? setOf(part) : (part.codePointAt(part.length > 1 && part.startsWith("\\") ? 1 : 0) ?? ANY);
  });
}

/** `[a-z_]`, or `[!a-z_]` for all others. */
function setOf(part: string): (point: number) => boolean {
  const negated = part.startsWith("[!");
  const ranges = [...part.slice(negated ? 2 : 1, -1).matchAll(/(.)(?:-(.))?/gsu)].map(([, from = "", to = from]) => [
    from.codePointAt(0) ?? 0,
    to.codePointAt(0) ?? 0,
  ]);
  return (point) => ranges.some(([from = 0, to = 0]) => point >= from && point <= to) !== negated;
}

/** Only the last `*` is ever tried again: what an earlier one could take, the last one can take as well. */
function matches(glob: readonly Token[], text: string): boolean {
  let next = 0;
  let star = -1;
  let tried = 0;
  for (let at = 0; at < text.length; ) {
    const point = text.codePointAt(at) ?? 0;
    const token = glob[next];
    if (token === ANY) {
      star = next++;
      tried = at;
    } else if (token === point || (typeof token === "function" && token(point))) {
      next++;
      at += width(point);
    } else if (star >= 0) {
      next = star + 1;
      tried += width(text.codePointAt(tried) ?? 0);
      at = tried;
    } else return false;
  }
  while (glob[next] === ANY) next++;
  return next === glob.length;
}

/** UTF-16 units of a code point. */
const width = (point: number): number => (point > 0xffff ? 2 : 1);
