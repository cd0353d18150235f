import { isNode, type ObjectNode, type Tree } from "@ckptkit/core";
import { keyText } from "../key-text.js";
import { dateText } from "./dates.js";
import { numpyText } from "./numpy-text.js";

/**
 * The text of a value that has one text in Python, as its `str()` or `isoformat()` gives it: a path, a date, a time or a duration, a decimal, a
 * fraction, a UUID, a device, a version, an element type. Undefined for all other objects, and for those whose parts make no sense.
 */
export function plainText(node: ObjectNode): string | undefined {
  const { type, args = [] } = node;
  const [first] = args;
  if (/^pathlib\.(?:_local\.)?(?:Pure)?(?:Posix|Windows)?Path$/.test(type)) return pathOf(args, type.includes("Windows") ? "\\" : "/");
  switch (type) {
    case "decimal.Decimal":
      return typeof first === "string" ? first : undefined;
    case "fractions.Fraction":
      return fractionOf(args);
    case "uuid.UUID":
      return uuidOf(node);
    case "torch.device":
      return keyText(node);
    case "torch.torch_version.TorchVersion":
      return typeof first === "string" ? first : undefined;
  }
  return type.startsWith("datetime.") ? dateText(node) : numpyText(node);
}

/** Parts of which the first may be the root, or a drive with it. */
function pathOf(parts: readonly Tree[], separator: string): string | undefined {
  const texts = parts.filter((part): part is string => typeof part === "string");
  if (texts.length !== parts.length) return undefined;
  const [first = "", ...rest] = texts;
  if (texts.length === 0) return ".";
  return rest.length === 0 || first.endsWith(separator) ? first + rest.join(separator) : [first, ...rest].join(separator);
}

/** One text, or since Python 3.12 numerator and denominator. */
function fractionOf([first, second]: readonly Tree[]): string | undefined {
  if (typeof first === "string" && second === undefined) return first;
  const isInteger = (value: Tree | undefined): value is number | bigint => typeof value === "bigint" || Number.isSafeInteger(value);
  if (!isInteger(first) || !isInteger(second)) return undefined;
  return BigInt(second) === 1n ? String(first) : `${first}/${second}`;
}

function uuidOf({ attributes, state }: ObjectNode): string | undefined {
  const entries = attributes?.entries ?? (isNode(state) && state.kind === "map" ? state.entries : []);
  const value = entries.find(([key]) => key === "int")?.[1];
  if (typeof value !== "bigint" && !Number.isSafeInteger(value)) return undefined;
  const digits = BigInt(value as bigint | number) // checked above
    .toString(16)
    .padStart(32, "0");
  return digits.length === 32 ? digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5") : undefined;
}
