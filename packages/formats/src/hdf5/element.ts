import { DTYPES, type DType, isDType } from "@ckptkit/core";
import { elementOfName } from "../array-dtypes.js";
import type { Compound, Datatype } from "./datatype.js";

/** A dtype of tensors, and the axes that the type itself adds. */
export interface Element {
  readonly dtype: DType;
  readonly bigEndian: boolean;
  readonly shape: readonly number[];
}

/**
 * What tensors of a type have; undefined for types that are no numbers.
 *
 * @param name the `dtype` attribute beside opaque bytes, as Keras writes it
 */
export function elementOf(type: Datatype, name?: string): Element | undefined {
  switch (type.kind) {
    case "numbers":
      return { dtype: type.dtype, bigEndian: type.bigEndian, shape: [] };
    case "enum":
      return type.isBool ? { dtype: "BOOL", bigEndian: false, shape: [] } : elementOf(type.base);
    case "array": {
      const base = elementOf(type.base);
      return base && { ...base, shape: [...type.shape, ...base.shape] };
    }
    case "compound":
      return complexOf(type);
    case "other": {
      const dtype = name === undefined ? undefined : elementOfName(name)?.dtype;
      const isNamed = dtype !== undefined && isDType(dtype) && type.what.startsWith("opaque") && DTYPES[dtype].bits === type.size * 8;
      return isNamed ? { dtype, bigEndian: false, shape: [] } : undefined;
    }
    default:
      return undefined;
  }
}

/** h5py's complex numbers: fields `r` and `i`. */
function complexOf({ size, members: [real, imaginary, ...others] }: Compound): Element | undefined {
  if (real?.name !== "r" || imaginary?.name !== "i" || others.length > 0) return undefined;
  const { type } = real;
  if (type.kind !== "numbers" || imaginary.type.kind !== "numbers" || imaginary.type.dtype !== type.dtype) return undefined;
  const dtype: DType | undefined = ({ F16: "C32", F32: "C64", F64: "C128" } as const)[type.dtype as "F16"]; // others give undefined
  const isTight =
    real.offset === 0 && imaginary.offset === type.size && size === 2 * type.size && imaginary.type.bigEndian === type.bigEndian;
  return dtype && isTight ? { dtype, bigEndian: type.bigEndian, shape: [] } : undefined;
}

/** Names of members that a description shows. */
const NAMES_SHOWN = 16;

/** A type in words. */
export function describeDatatype(type: Datatype): string {
  switch (type.kind) {
    case "numbers":
      return type.dtype;
    case "text":
      return `text of ${type.size} bytes`;
    case "enum":
      return `names (${type.names.slice(0, NAMES_SHOWN).join(", ").slice(0, 200)})`;
    case "compound":
      return `records (${type.members
        .slice(0, NAMES_SHOWN)
        .map(({ name }) => name)
        .join(", ")
        .slice(0, 200)})`;
    case "sequence":
      return type.isText ? "text" : `lists of ${describeDatatype(type.base)}`;
    case "array":
      return `${describeDatatype(type.base)}[${type.shape.join(", ")}]`;
    case "other":
      return type.what;
  }
}
