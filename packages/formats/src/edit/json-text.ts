import { CheckpointLoadError, checkLimit, type ErrorCode, type Json, type Limits } from "@ckptkit/core";

/** A member of a JSON object as it is written. */
export interface JsonMember {
  readonly key: string;
  /** The text of its value. */
  readonly raw: string;
}

/** JSON text, read and taken apart. */
export interface JsonText {
  readonly value: Json;
  /** Members of the object that the text is, with their texts; none where it is something else. */
  readonly members: readonly JsonMember[];
}

const NUMBER = /-?\d+(\.\d+)?(?:[eE][+-]?\d+)?/y;
const NOT_FINITE: readonly (readonly [text: string, shown: string])[] = [
  ["NaN", "nan"],
  ["Infinity", "inf"],
  ["-Infinity", "-inf"],
];

/**
 * Reads JSON as Python writes it: `NaN` and infinities become `{"$float": "nan"}`, integers beyond 2^53 - 1 decimal strings. Members of the
 * outermost object are also given as they are written, so that an edit of one leaves the others to the letter.
 *
 * @param what names the text in errors.
 * @param code of the errors.
 * @throws {CheckpointLoadError} with that code where it is no JSON; LIMIT_EXCEEDED (treeDepth, metadataValues)
 * @see https://docs.python.org/3/library/json.html#infinite-and-nan-number-values
 */
export function readJsonText(text: string, what: string, code: ErrorCode, limits: Limits): JsonText {
  const members: JsonMember[] = [];
  let normal = "";
  /** What has been copied into `normal` ends here. */
  let copied = 0;
  let depth = 0;
  let values = 1;
  let key: string | undefined;
  let valueStart = -1;
  const replace = (from: number, to: number, by: string): void => {
    normal += text.slice(copied, from) + by;
    copied = to;
  };
  const endMember = (at: number): void => {
    if (key !== undefined && valueStart >= 0) members.push({ key, raw: text.slice(valueStart, at).trim() });
    key = undefined;
    valueStart = -1;
  };
  for (let at = 0; at < text.length; at++) {
    const letter = text[at] ?? "";
    if (letter === '"') {
      const end = endOfString(text, at);
      if (depth === 1 && valueStart < 0) key = stringOf(text.slice(at, end));
      at = end - 1;
    } else if (letter === "{" || letter === "[") {
      checkLimit(limits, "treeDepth", ++depth, `Nesting of ${what}`);
      values++;
    } else if (letter === "}" || letter === "]") {
      if (depth === 1) endMember(at);
      depth--;
    } else if (letter === ",") {
      if (depth === 1) endMember(at);
      if (++values > limits.metadataValues) checkLimit(limits, "metadataValues", values, `Values of ${what}`);
    } else if (letter === ":") {
      if (depth === 1 && valueStart < 0) valueStart = at + 1;
    } else if (letter === "-" || letter === "N" || letter === "I" || (letter >= "0" && letter <= "9")) {
      const [word, shown] = NOT_FINITE.find(([name]) => text.startsWith(name, at)) ?? [];
      if (word !== undefined) {
        replace(at, at + word.length, `{"$float":"${shown}"}`);
        at += word.length - 1;
        continue;
      }
      NUMBER.lastIndex = at;
      const number = NUMBER.exec(text);
      if (!number) continue; // JSON.parse says what is wrong with it
      const [digits, fraction] = number;
      if (fraction === undefined && !/[eE]/.test(digits) && !Number.isSafeInteger(Number(digits)))
        replace(at, at + digits.length, `"${digits}"`);
      at += digits.length - 1;
    }
  }
  return { value: parse(normal + text.slice(copied), what, code), members };
}

/** Text of an object with these members; `isTight` leaves out the spaces that Python puts behind colons and commas. */
export function objectText(members: readonly JsonMember[], isTight: boolean): string {
  const space = isTight ? "" : " ";
  return `{${members.map(({ key, raw }) => `${JSON.stringify(key)}:${space}${raw}`).join(`,${space}`)}}`;
}

function parse(text: string, what: string, code: ErrorCode): Json {
  try {
    return JSON.parse(text) as Json; // what JSON.parse gives is JSON
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CheckpointLoadError(code, `${what} is not JSON: ${why}.`, { cause });
  }
}

/** Position behind the closing quote; the end of the text where there is none. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let slashes = 0;
    while (text[at - 1 - slashes] === "\\") slashes++;
    if (slashes % 2 === 0) return at + 1;
  }
  return text.length;
}

/** The value of a string as it is written; undefined where it is none. */
function stringOf(raw: string): string | undefined {
  try {
    return JSON.parse(raw) as string; // it begins with a quote
  } catch {
    return undefined;
  }
}
