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

/** The slow way, byte by byte, for strings that a strict decoder refuses. */
function decodeWtf8(bytes: Uint8Array): string | undefined {
  const text = new TextBuilder();
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at++] ?? 0;
    const more = lead < 0x80 ? 0 : lead >= 0xc2 && lead < 0xe0 ? 1 : lead >= 0xe0 && lead < 0xf0 ? 2 : lead >= 0xf0 && lead < 0xf5 ? 3 : -1;
    if (more < 0 || at + more > bytes.length) return undefined;
    let point = more === 0 ? lead : lead & (0x3f >> more);
    for (let index = 0; index < more; index++) {
      const byte = bytes[at++] ?? 0;
      if ((byte & 0xc0) !== 0x80) return undefined;
      point = (point << 6) | (byte & 0x3f);
    }
    if ((more === 2 && point < 0x800) || (more === 3 && (point < 0x10000 || point > 0x10ffff))) return undefined;
    text.add(point);
  }
  return text.toString();
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

/** Collects code points. Strings that grow by single characters are slow in every engine. */
class TextBuilder {
  #text = "";
  #points: number[] = [];

  add(point: number): void {
    this.#points.push(point);
    if (this.#points.length === 4096) this.#flush();
  }

  #flush(): void {
    this.#text += String.fromCodePoint.apply(null, this.#points);
    this.#points = [];
  }

  toString(): string {
    this.#flush();
    return this.#text;
  }
}

/**
 * Decodes Python's raw-unicode-escape: Latin-1, save for `\uXXXX` and `\UXXXXXXXX`. Undefined when an escape is malformed.
 *
 * @see https://docs.python.org/3/library/codecs.html#text-encodings
 */
export function decodeRawUnicodeEscape(bytes: Uint8Array): string | undefined {
  const text = new TextBuilder();
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at++] ?? 0;
    const next = bytes[at];
    if (byte !== 0x5c || next === undefined) {
      text.add(byte);
      continue;
    }
    at++;
    const digits = next === 0x75 ? 4 : next === 0x55 ? 8 : 0;
    if (digits === 0) {
      text.add(byte);
      text.add(next);
      continue;
    }
    const point = hex(bytes, at, digits);
    if (point === undefined || point > 0x10ffff) return undefined;
    text.add(point);
    at += digits;
  }
  return text.toString();
}

/** What one letter after a backslash stands for in a Python string literal. */
const ESCAPES: ReadonlyMap<number, number> = new Map(
  Object.entries({ "\\": 92, "'": 39, '"': 34, a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11 }).map(([letter, code]) => [
    letter.charCodeAt(0),
    code,
  ]),
);

/**
 * Resolves the escapes of a Python 2 string literal's inside. Undefined when an escape is malformed. Unknown escapes stay as they are.
 *
 * @see https://docs.python.org/3/reference/lexical_analysis.html#escape-sequences
 */
export function decodeStringEscape(bytes: Uint8Array): Uint8Array | undefined {
  const out = new Uint8Array(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at++] ?? 0;
    if (byte !== 0x5c) {
      out[length++] = byte;
      continue;
    }
    const next = bytes[at++];
    if (next === undefined) return undefined;
    const simple = ESCAPES.get(next);
    if (simple !== undefined) out[length++] = simple;
    else if (next === 0x78) {
      const value = hex(bytes, at, 2);
      if (value === undefined) return undefined;
      out[length++] = value;
      at += 2;
    } else if (next >= 0x30 && next <= 0x37) {
      let value = next - 0x30;
      for (let digits = 1; digits < 3; digits++) {
        const digit = bytes[at];
        if (digit === undefined || digit < 0x30 || digit > 0x37) break;
        value = value * 8 + digit - 0x30;
        at++;
      }
      out[length++] = value & 0xff;
    } else {
      out[length++] = byte;
      out[length++] = next;
    }
  }
  return out.slice(0, length);
}

function hex(bytes: Uint8Array, at: number, digits: number): number | undefined {
  const text = String.fromCharCode(...bytes.subarray(at, at + digits));
  return text.length === digits && /^[0-9a-fA-F]+$/.test(text) ? Number.parseInt(text, 16) : undefined;
}
