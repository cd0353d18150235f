/** Strings up to this many bytes are decoded here; for longer ones a TextDecoder is faster (measured, V8). */
const SHORT = 48;

/** One array of char codes a length, filled anew for every string: `fromCharCode` takes it without a copy. */
const CODES: number[][] = Array.from({ length: SHORT + 1 }, (_, length) => new Array<number>(length).fill(0));

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Decodes UTF-8 in which lone surrogates may be encoded too, as Python's "surrogatepass" does. Undefined when the bytes are neither.
 */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string | undefined {
  const length = end - start;
  const codes = CODES[length];
  if (codes) {
    let high = 0;
    for (let index = 0; index < length; index++) {
      const byte = bytes[start + index] ?? 0;
      high |= byte;
      codes[index] = byte;
    }
    if (high < 0x80) return String.fromCharCode.apply(null, codes);
  }
  const part = bytes.subarray(start, end);
  try {
    return UTF8.decode(part);
  } catch {
    return decodeWtf8(part);
  }
}

/** Strings that a strict decoder refuses: lone surrogates are taken out, the rest has to be UTF-8. */
function decodeWtf8(bytes: Uint8Array): string | undefined {
  let text = "";
  let from = 0;
  try {
    // A surrogate is ED, A0 to BF, 80 to BF; no other character has ED after its first byte.
    for (let at = bytes.indexOf(0xed); at >= 0; at = bytes.indexOf(0xed, at + 1)) {
      const [, second = 0, third = 0] = bytes.subarray(at, at + 3);
      if (second < 0xa0 || second > 0xbf || (third & 0xc0) !== 0x80) continue;
      text += UTF8.decode(bytes.subarray(from, at)) + String.fromCharCode(0xd000 | ((second & 0x3f) << 6) | (third & 0x3f));
      from = at + 3;
    }
    return text + UTF8.decode(bytes.subarray(from));
  } catch {
    return undefined;
  }
}

/** Bytes as characters U+0000 to U+00FF, one each. */
export function decodeLatin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode.apply(null, [...bytes.subarray(at, at + 8192)]);
  return text;
}

/** The reverse of {@link decodeLatin1}; undefined when a character is above U+00FF. */
export function encodeLatin1(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code > 0xff) return undefined;
    bytes[index] = code;
  }
  return bytes;
}

/** Encodes as UTF-8, lone surrogates included (three bytes each), as Python's "surrogatepass" does. */
export function encodeUtf8(text: string): Uint8Array {
  if (!/\p{Surrogate}/u.test(text)) return new TextEncoder().encode(text);
  const bytes: number[] = [];
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    if (point >= 0xd800 && point < 0xe000) bytes.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f));
    else for (const byte of new TextEncoder().encode(character)) bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

/**
 * Decodes Python's raw-unicode-escape: Latin-1, save for `\uXXXX` and `\UXXXXXXXX`. Undefined when an escape is malformed.
 *
 * @see https://docs.python.org/3/library/codecs.html#text-encodings
 */
export function decodeRawUnicodeEscape(bytes: Uint8Array): string | undefined {
  return unescaped(decodeLatin1(bytes), /\\(u[\dA-Fa-f]{4}|U[\dA-Fa-f]{8}|.)/gs, (all, rest) => {
    const point = rest.length > 1 ? Number.parseInt(rest.slice(1), 16) : /u/i.test(rest) ? Number.NaN : undefined;
    return point === undefined ? all : point <= 0x10ffff ? String.fromCodePoint(point) : undefined;
  });
}

/** Replaces escapes; undefined when one of them is. */
function unescaped(text: string, escapes: RegExp, value: (all: string, rest: string) => string | undefined): string | undefined {
  let malformed = false;
  const result = text.replace(escapes, (all, rest: string) => {
    const found = value(all, rest);
    malformed ||= found === undefined;
    return found ?? "";
  });
  return malformed ? undefined : result;
}

/** What one letter after a backslash stands for in a Python string literal. */
const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\",
  "'": "'",
  '"': '"',
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/**
 * Resolves the escapes of a Python 2 string literal's inside. Undefined when an escape is malformed. Unknown escapes stay as they are.
 *
 * @see https://docs.python.org/3/reference/lexical_analysis.html#escape-sequences
 */
export function decodeStringEscape(bytes: Uint8Array): Uint8Array | undefined {
  const text = unescaped(decodeLatin1(bytes), /\\(x[\dA-Fa-f]{2}|[0-7]{1,3}|.|$)/gs, (all, rest) => {
    if (rest === "x" || rest === "") return undefined;
    if (/^[x0-7]/.test(rest)) return String.fromCharCode(Number(rest.startsWith("x") ? `0${rest}` : `0o${rest}`) & 0xff);
    return ESCAPES[rest] ?? all;
  });
  return text === undefined ? undefined : encodeLatin1(text);
}
