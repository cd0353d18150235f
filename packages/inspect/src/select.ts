import { CheckpointConfigError, type TensorHandle } from "@ckptkit/core";

/** Chooses tensors. */
export type SelectTensor = (tensor: TensorHandle) => boolean;

/** What one character must be: that code point, what the function says, or ANY. */
type Token = number | ((point: number) => boolean);

/** `*`: any characters, also none. */
const ANY = -1;

/** Texts that the alternatives of one pattern may spell: `{a,b}` ten times over gives 1024. */
const MOST_ALTERNATIVES = 10_000;

/** Every character of a glob with what belongs to it: an escape, or a whole set. */
const PARTS = /\\.|\[[!^]?\]?[^\]]*\]|./gsu;

/**
 * Tells whether a whole text matches a glob. `*` stands for any characters, dots and slashes as well; `?` for one; `{a,b}` for
 * either; `[0-9]` for one of a range, `[!0-9]` or `[^0-9]` for one that is not; a backslash makes a character stand for itself. The time is at
 * most that of the text times the pattern: no pattern makes it explode.
 *
 * @throws {CheckpointConfigError} INVALID_ARGUMENT when the alternatives spell more than 10,000 texts
 * @example globMatcher("*.attn.*.weight")("blocks.0.attn.qkv.weight") // true
 */
export function globMatcher(pattern: string): (text: string) => boolean {
  const globs = alternatives(pattern);
  return (text) => globs.some((glob) => matches(glob, text));
}

/**
 * Chooses the tensors whose path or name matches a glob, see {@link globMatcher}.
 *
 * @example const attention = globFilter("*.attn.*.weight");
 */
export function globFilter(pattern: string): SelectTensor {
  const matches = globMatcher(pattern);
  return (tensor) => matches(tensor.path) || matches(tensor.name);
}

/** The globs without alternatives that a glob stands for: `a{b,c}` gives `ab` and `ac`. */
function alternatives(pattern: string): Token[][] {
  const parts: readonly string[] = pattern.match(PARTS) ?? [];
  const syntax = bracesOf(parts);
  /** Of each open brace: alternatives that are complete, and what the one in work spells so far. */
  const outer: { done: Token[][]; now: Token[][] }[] = [];
  let done: Token[][] = [];
  let now: Token[][] = [[]];
  for (const [at, part] of parts.entries()) {
    if (!syntax.has(at)) {
      const token = tokenOf(part);
      for (const glob of now) glob.push(token);
    } else if (part === "{") {
      outer.push({ done, now });
      done = [];
      now = [[]];
    } else {
      done.push(...now);
      now = [[]];
      const before = part === "}" && outer.pop();
      if (!before) continue;
      const tails = done;
      if (before.now.length * tails.length > MOST_ALTERNATIVES) throw tooMany(pattern);
      now = before.now.flatMap((head) => tails.map((tail) => [...head, ...tail]));
      done = before.done;
    }
  }
  return now;
}

/** Where braces and their commas stand. Braces that are not closed, or hold no comma, are characters like others. */
function bracesOf(parts: readonly string[]): Set<number> {
  const open: number[][] = [];
  const found: number[] = [];
  for (const [at, part] of parts.entries()) {
    if (part === "{") open.push([at]);
    else if (part === ",") open.at(-1)?.push(at);
    else if (part === "}") {
      const group = open.pop() ?? [];
      if (group.length > 1) found.push(...group, at);
    }
  }
  return new Set(found);
}

function tooMany(pattern: string): CheckpointConfigError {
  const shown = JSON.stringify(pattern.slice(0, 200));
  return new CheckpointConfigError(
    "INVALID_ARGUMENT",
    `The alternatives of the glob ${shown} spell more than ${MOST_ALTERNATIVES} texts.`,
    {
      suggestions: ["Put * in place of some of them."],
    },
  );
}

function tokenOf(part: string): Token {
  if (part === "*") return ANY;
  if (part === "?") return () => true;
  if (part.length > 2 && part.startsWith("[")) return setOf(part);
  return part.codePointAt(part.length > 1 && part.startsWith("\\") ? 1 : 0) ?? ANY;
}

/** `[a-z_]`, or `[!a-z_]` for all others. */
function setOf(part: string): (point: number) => boolean {
  const negated = part[1] === "!" || part[1] === "^";
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
