// How Python's `repr()` writes values. @see https://docs.python.org/3/library/functions.html#repr

/** Python shows the shortest digits, like JavaScript, but turns to exponents below 1e-4 and from 1e16 on. */
export function floatRepr(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (Object.is(value, -0)) return "-0.0";
  const size = Math.abs(value);
  if (value !== 0 && (size < 1e-4 || size >= 1e16)) {
    const [digits = "", exponent = "0"] = value.toExponential().split("e");
    const power = Number(exponent);
    return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  }
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

/** `1j`, or `(1+2j)`: integral parts stand without ".0". */
export function complexRepr(real: number, imaginary: number): string {
  const part = (value: number): string => floatRepr(value).replace(/\.0$/, "");
  if (Object.is(real, 0)) return `${part(imaginary)}j`;
  const sign = imaginary < 0 || Object.is(imaginary, -0) ? "" : "+";
  return `(${part(real)}${sign}${part(imaginary)}j)`;
}

const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };
/** What `str.isprintable` refuses: control and format characters, surrogates, unassigned ones, separators other than the space. */
const UNPRINTABLE = /(?! )[\\\p{C}\p{Z}]/gu;

/** Single quotes, unless there are some within and no double ones. */
const quoteFor = (text: string): string => (text.includes("'") && !text.includes('"') ? '"' : "'");

/** `'text'`, as Python's `repr()` escapes it. */
export function stringRepr(text: string): string {
  const quote = quoteFor(text);
  return `${quote}${text.replace(UNPRINTABLE, escapeCharacter).replaceAll(quote, `\\${quote}`)}${quote}`;
}

function escapeCharacter(character: string): string {
  const known = ESCAPES[character];
  if (known !== undefined) return known;
  const code = character.codePointAt(0) ?? 0;
  const hex = (digits: number): string => code.toString(16).padStart(digits, "0");
  return code < 0x100 ? `\\x${hex(2)}` : code < 0x10000 ? `\\u${hex(4)}` : `\\U${hex(8)}`;
}

/** `b'bytes'`. For short ones: a few thousand. */
export function bytesRepr(bytes: Uint8Array): string {
  const latin1 = String.fromCharCode(...bytes);
  const quote = quoteFor(latin1);
  // Bytes that are not ASCII are escaped, printable or not.
  const shown = latin1.replace(/[^ -~]|\\/g, escapeCharacter).replaceAll(quote, `\\${quote}`);
  return `b${quote}${shown}${quote}`;
}
