import { isNode, type ObjectNode, type Tree } from "@ckptkit/core";

/** Names of numpy's element types by their codes. @see https://numpy.org/doc/stable/reference/arrays.interface.html */
const NAMES: Readonly<Record<string, string>> = {
  b: "bool",
  i: "int",
  u: "uint",
  f: "float",
  c: "complex",
  O: "object",
  U: "str",
  S: "bytes",
};
/** Units of dates in milliseconds; others have a calendar of their own, or are finer. */
const UNIT_MS: Readonly<Record<string, number>> = { W: 604_800_000, D: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
const FINER: Readonly<Record<string, bigint>> = { us: 1_000_000n, ns: 1_000_000_000n };
/** Milliseconds on either side of 1970 that a Date can hold. */
const MOST_MS = 8.64e15;
const NOT_A_TIME = -(2n ** 63n);

/** Values of numpy that are one text: types, and scalars that are no numbers. Undefined for all else. */
export function numpyText({ type, args = [], state }: ObjectNode): string | undefined {
  if (type === "numpy.dtype") return dtypeName(args[0], state);
  if (type !== "numpy.core.multiarray.scalar" && type !== "numpy._core.multiarray.scalar") return undefined;
  const [dtype, bytes] = args;
  if (!isNode(dtype) || dtype.kind !== "object" || dtype.type !== "numpy.dtype" || !(bytes instanceof Uint8Array)) return undefined;
  const code = dtype.args?.[0];
  if (typeof code !== "string") return undefined;
  const bigEndian = partsOf(dtype.state)[1] === ">";
  if (code.startsWith("U")) return textOf(bytes, bigEndian);
  return code === "M8" && bytes.length === 8 ? dateText(viewOf(bytes).getBigInt64(0, !bigEndian), dtype.state) : undefined;
}

const partsOf = (state: Tree | undefined): readonly Tree[] => (isNode(state) && state.kind === "list" ? state.items : []);
const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** `numpy.float32`; undefined for records. */
function dtypeName(code: Tree | undefined, state: Tree | undefined): string | undefined {
  const [, letter = "", size = ""] = typeof code === "string" ? (/^([a-zA-Z])(\d*)$/.exec(code) ?? []) : [];
  const name = NAMES[letter];
  if (name === undefined || (partsOf(state)[3] !== undefined && partsOf(state)[3] !== null)) return undefined;
  return /[iufc]/.test(letter) ? `numpy.${name}${8 * Number(size)}` : `numpy.${name}`;
}

/** Four bytes a character, zeros at the end left out. */
function textOf(bytes: Uint8Array, bigEndian: boolean): string | undefined {
  const view = viewOf(bytes);
  let text = "";
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    const code = view.getUint32(at, !bigEndian);
    if (code > 0x10ffff) return undefined;
    text += String.fromCodePoint(code);
  }
  let end = text.length;
  while (text[end - 1] === "\0") end--;
  return text.slice(0, end);
}

/** A date as numpy's `str()` writes it. Its unit stands in the type's metadata: ({...}, (unit, count, 1, 1)). */
function dateText(value: bigint, state: Tree | undefined): string | undefined {
  const [unitBytes, count] = partsOf(partsOf(partsOf(state)[8])[1]);
  const unit = unitBytes instanceof Uint8Array ? String.fromCharCode(...unitBytes.subarray(0, 8)) : unitBytes;
  if (value === NOT_A_TIME) return "NaT";
  if (typeof unit !== "string" || typeof count !== "number" || !Number.isSafeInteger(count)) return undefined;
  const ticks = value * BigInt(count);
  const perSecond = FINER[unit];
  if (perSecond !== undefined) {
    const rest = ((ticks % perSecond) + perSecond) % perSecond;
    const seconds = isoOf(Number((ticks - rest) / perSecond) * 1000);
    return seconds && `${seconds.slice(0, 19)}.${String(rest).padStart(unit === "us" ? 6 : 9, "0")}`;
  }
  if (unit === "Y" || unit === "M") {
    const months = Number(ticks) * (unit === "Y" ? 12 : 1);
    const year = 1970 + Math.floor(months / 12);
    if (year < 0 || year > 9999) return undefined;
    const text = String(year).padStart(4, "0");
    return unit === "Y" ? text : `${text}-${String((((months % 12) + 12) % 12) + 1).padStart(2, "0")}`;
  }
  const iso = Object.hasOwn(UNIT_MS, unit) ? isoOf(Number(ticks) * (UNIT_MS[unit] ?? 0)) : undefined;
  const lengths: Readonly<Record<string, number>> = { W: 10, D: 10, h: 13, m: 16, s: 19, ms: 23 };
  return iso?.slice(0, lengths[unit]);
}

/** Of years with four digits. */
function isoOf(ms: number): string | undefined {
  if (!(Math.abs(ms) <= MOST_MS)) return undefined;
  const iso = new Date(ms).toISOString();
  return /^\d{4}-/.test(iso) ? iso : undefined;
}
