/** Characters of a value that are written before the rest is left out. */
export const MAX_REPR_LENGTH = 10_000;

/** What Python's `repr()` shows of a value without members, in 10,000 characters or little more. */
export function plainRepr(value: null | boolean | number | bigint | string | Uint8Array): string {
  if (value === null) return "None";
  if (value instanceof Uint8Array) return bytesRepr(value);
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return stringRepr(value);
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : floatRepr(value);
  // Engines print decimal digits of huge integers in more than linear time; Python refuses to above 4,300 digits.
  const digits = value.toString(16).replace("-", "");
  return digits.length > MAX_REPR_LENGTH ? `${value < 0n ? "-" : ""}0x${digits}` : String(value);
}

/**
 * Python shows a float with the fewest digits that give it back, as JavaScript does, but turns to exponents below 1e-4 and from 1e16 on.
 *
 * @see https://github.com/python/cpython/blob/main/Python/pystrtod.c PyOS_double_to_string, format code 'r'
 */
export function floatRepr(value: number): string {
  const size = Math.abs(value);
  if (!(size < Number.POSITIVE_INFINITY)) return String(value).replace("Infinity", "inf").toLowerCase();
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) return value.toExponential().replace(/(e.)(.)$/, "$10$2");
  const text = Object.is(value, -0) ? "-0" : String(value);
  return Number.isInteger(value) ? `${text}.0` : text;
}

const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function quoted(text: string, asItIs: (character: string) => boolean): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let result = "";
  for (const character of text) {
    const short = character === quote ? `\\${quote}` : ESCAPES[character];
    result += short ?? (asItIs(character) ? character : escaped(character.codePointAt(0) ?? 0));
  }
  return quote + result + quote;
}

function escaped(point: number): string {
  const [letter, digits] = point < 0x100 ? ["x", 2] : point < 0x10000 ? ["u", 4] : ["U", 8];
  return `\\${letter}${point.toString(16).padStart(Number(digits), "0")}`;
}

/** The categories that `str.isprintable` leaves out. @see https://docs.python.org/3/library/stdtypes.html#str.isprintable */
const UNPRINTABLE = /[\p{C}\p{Z}]/u;

const stringRepr = (text: string): string =>
  quoted(text.slice(0, MAX_REPR_LENGTH + 1), (character) => character === " " || !UNPRINTABLE.test(character));

const bytesRepr = (bytes: Uint8Array): string =>
  `b${quoted(String.fromCharCode(...bytes.subarray(0, MAX_REPR_LENGTH + 1)), (character) => character >= " " && character <= "~")}`;
