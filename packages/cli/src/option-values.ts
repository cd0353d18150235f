import { InvalidArgumentError } from "commander";

const UNIT_BYTES: Readonly<Record<string, number>> = {
  "": 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 1024,
  MIB: 1024 ** 2,
  GIB: 1024 ** 3,
  TIB: 1024 ** 4,
};

/** Bytes of `500MB`, `2GB` (decimal units), `2GiB` (binary units) or `1000000`. */
export function parseByteSize(text: string): number {
  const bytes = byteSize(text);
  if (bytes !== undefined) return bytes;
  throw new InvalidArgumentError("It must be a size such as 500MB, 2GB (10^9 bytes) or 2GiB (2^30 bytes).");
}

/** The same; undefined for what is no size. */
export function byteSize(text: string): number | undefined {
  const [, digits = "", unit = ""] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim()) ?? [];
  const factor = UNIT_BYTES[unit.toUpperCase()];
  const bytes = digits === "" || factor === undefined ? Number.NaN : Math.floor(Number(digits) * factor);
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
}

/** A parser of one of a few words, in any case. */
export function oneOf<const T extends string>(choices: readonly T[]): (text: string) => T {
  return (text) => {
    const found = choices.find((choice) => choice.toLowerCase() === text.toLowerCase());
    if (found !== undefined) return found;
    throw new InvalidArgumentError(`It must be one of ${choices.join(", ")}.`);
  };
}
