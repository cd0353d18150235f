import { DTYPES, type DType } from "@ckptkit/core";
import type { Fields } from "./fields.js";

/** A type of elements. Sizes are in bytes. */
export type Datatype = Numbers | Text | Enumeration | Compound | Sequence | ArrayType | Other;

/** Integers, or real numbers of a form that has a dtype. */
export interface Numbers {
  readonly kind: "numbers";
  readonly size: number;
  readonly dtype: DType;
  readonly bigEndian: boolean;
}
/** Text of a fixed size. */
export interface Text {
  readonly kind: "text";
  readonly size: number;
  /** 0: up to a NUL; 1: NULs at the end are padding; 2: spaces are. */
  readonly padding: number;
}
/** Names of integers. */
export interface Enumeration {
  readonly kind: "enum";
  readonly size: number;
  readonly base: Datatype;
  readonly names: readonly string[];
  /** h5py's booleans: FALSE is 0 and TRUE is 1. */
  readonly isBool: boolean;
}
/** Fields of other types. */
export interface Compound {
  readonly kind: "compound";
  readonly size: number;
  readonly members: readonly { readonly name: string; readonly offset: number; readonly type: Datatype }[];
}
/** As many elements as each value has: they stand in a heap. */
export interface Sequence {
  readonly kind: "sequence";
  readonly size: number;
  readonly isText: boolean;
  readonly base: Datatype;
}
/** Elements that are arrays of one shape. */
export interface ArrayType {
  readonly kind: "array";
  readonly size: number;
  readonly shape: readonly number[];
  readonly base: Datatype;
}
/** Bytes of another meaning: opaque ones, references, times, numbers of odd forms. */
export interface Other {
  readonly kind: "other";
  readonly size: number;
  readonly what: string;
}

/** Types within types that are followed. */
const MOST_DEPTH = 32;
/** Axes of an array type that HDF5 allows. */
const MOST_AXES = 32;

/**
 * Reads a datatype message.
 *
 * @throws {CheckpointLoadError} HDF5_CORRUPT
 * @see https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html (IV.A.2.d. The Datatype Message)
 */
export function parseDatatype(fields: Fields, depth = 0): Datatype {
  if (depth > MOST_DEPTH) throw fields.bad(`nests types more than ${MOST_DEPTH} deep`);
  const head = fields.u8();
  const version = head >> 4;
  const flags = fields.uint(3);
  const size = fields.u32();
  if (version < 1 || version > 5) throw fields.bad(`has a datatype of version ${version}`);
  if (size === 0) throw fields.bad("has a datatype of no bytes");
  switch (head & 0x0f) {
    case 0:
      return integer(fields, flags, size);
    case 1:
      return real(fields, flags, size);
    case 2:
      fields.skip(2);
      return { kind: "other", size, what: "time" };
    case 3:
      return { kind: "text", size, padding: flags & 0x0f };
    case 4:
      return integer(fields, flags & 1, size);
    case 5:
      return { kind: "other", size, what: `opaque ${opaqueTag(fields, flags & 0xff)}`.trim() };
    case 6:
      return compound(fields, version, flags & 0xffff, size, depth);
    case 7:
      return { kind: "other", size, what: "reference" };
    case 8:
      return enumeration(fields, version, flags & 0xffff, size, depth);
    case 9:
      return { kind: "sequence", size, isText: (flags & 0x0f) === 1, base: parseDatatype(fields, depth + 1) };
    case 10:
      return array(fields, version, size, depth);
    case 11: {
      const base = parseDatatype(fields, depth + 1);
      return {
        kind: "compound",
        size,
        members: [0, base.size].map((offset, index) => ({ name: index === 0 ? "r" : "i", offset, type: base })),
      };
    }
    default:
      throw fields.bad(`has a datatype of class ${head & 0x0f}`);
  }
}

/** Numbers whose bits are all of their bytes; others have no dtype. */
function integer(fields: Fields, flags: number, size: number): Datatype {
  const first = fields.u16();
  const bits = fields.u16();
  const dtype = `${(flags & 8) === 0 ? "U" : "I"}${size * 8}`;
  if (first === 0 && bits === size * 8 && isNumbers(dtype)) return { kind: "numbers", size, dtype, bigEndian: (flags & 1) === 1 };
  return { kind: "other", size, what: `integer of ${bits} bits in ${size} bytes` };
}

const isNumbers = (dtype: string): dtype is DType => Object.hasOwn(DTYPES, dtype);

/** Real numbers by their form: bytes, first bit and bits of the exponent, bits of the fraction, the exponent's bias. */
const REALS: Readonly<Record<string, DType>> = {
  "2 10 5 10 15": "F16",
  "2 7 8 7 127": "BF16",
  "4 23 8 23 127": "F32",
  "8 52 11 52 1023": "F64",
  "1 2 5 2 15": "F8_E5M2",
  "1 3 4 3 7": "F8_E4M3",
};

function real(fields: Fields, flags: number, size: number): Datatype {
  const first = fields.u16();
  const bits = fields.u16();
  const [exponentAt, exponentBits, fractionAt, fractionBits] = [fields.u8(), fields.u8(), fields.u8(), fields.u8()];
  const bias = fields.u32();
  const dtype = REALS[`${size} ${exponentAt} ${exponentBits} ${fractionBits} ${bias}`];
  const order = flags & 0x41;
  const isPlain = first === 0 && bits === size * 8 && fractionAt === 0 && order !== 0x41 && order !== 0x40;
  if (dtype && isPlain) return { kind: "numbers", size, dtype, bigEndian: order === 1 };
  return { kind: "other", size, what: `float of ${bits} bits in ${size} bytes` };
}

function opaqueTag(fields: Fields, length: number): string {
  const tag = fields.take(Math.min(fields.left, Math.ceil(length / 8) * 8));
  return String.fromCharCode(...tag.filter((byte) => byte >= 0x20 && byte < 0x7f));
}

/** A name of a member; before version 3 padded to a multiple of 8 bytes. */
function memberName(fields: Fields, version: number): string {
  const start = fields.at;
  const name = fields.zeroEnded();
  if (version < 3) fields.skip(Math.ceil((fields.at - start) / 8) * 8 - (fields.at - start));
  return name;
}

function compound(fields: Fields, version: number, count: number, size: number, depth: number): Datatype {
  const members: { name: string; offset: number; type: Datatype }[] = [];
  let offsetBytes = 1;
  while (offsetBytes < 4 && size >= 256 ** offsetBytes) offsetBytes++;
  for (let member = 0; member < count; member++) {
    const name = memberName(fields, version);
    const offset = version < 3 ? fields.u32() : fields.uint(offsetBytes);
    const shape: number[] = [];
    if (version === 1) {
      const axes = fields.u8();
      fields.skip(11);
      const sizes = [fields.u32(), fields.u32(), fields.u32(), fields.u32()];
      shape.push(...sizes.slice(0, Math.min(4, axes)));
    }
    const base = parseDatatype(fields, depth + 1);
    const elements = shape.reduce((product, length) => product * length, 1);
    const type: Datatype = shape.length > 0 ? { kind: "array", size: base.size * elements, shape, base } : base;
    if (offset + type.size > size || type.size === 0)
      throw fields.bad(`has a datatype whose member ${JSON.stringify(name.slice(0, 100))} does not fit into it`);
    members.push({ name, offset, type });
  }
  return { kind: "compound", size, members };
}

function enumeration(fields: Fields, version: number, count: number, size: number, depth: number): Datatype {
  const base = parseDatatype(fields, depth + 1);
  const names: string[] = [];
  for (let member = 0; member < count; member++) names.push(memberName(fields, version));
  const values = Array.from({ length: count }, () => fields.take(base.size)[0]);
  const isBool = size === 1 && names.length === 2 && values[names.indexOf("FALSE")] === 0 && values[names.indexOf("TRUE")] === 1;
  return { kind: "enum", size, base, names, isBool };
}

function array(fields: Fields, version: number, size: number, depth: number): Datatype {
  const axes = fields.u8();
  if (axes > MOST_AXES) throw fields.bad(`has a datatype of ${axes} axes`);
  if (version < 3) fields.skip(3);
  const shape = Array.from({ length: axes }, () => fields.u32());
  if (version < 3) fields.skip(4 * axes);
  const base = parseDatatype(fields, depth + 1);
  if (shape.reduce((product, length) => product * length, base.size) !== size)
    throw fields.bad("has an array type whose size is not that of its elements");
  return { kind: "array", size, shape, base };
}
