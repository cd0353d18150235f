import type { BlockCoding } from "@ckptkit/core";
import { decodeIq4Nl, decodeIq4Xs, decodeMxfp4, decodeQ4_0, decodeQ4_1, decodeQ5_0, decodeQ5_1, decodeQ8_0 } from "./blocks.js";
import { decodeQ2K, decodeQ3K, decodeQ4K, decodeQ5K, decodeQ6K, decodeQ8K } from "./k-blocks.js";

/** A type of ggml: `elements` of a row share a block of `bytes`. */
export interface GgmlType {
  readonly id: number;
  readonly name: string;
  readonly elements: number;
  readonly bytes: number;
}

/**
 * Id, name, elements and bytes of a block. Those from 31 to 38 were taken out of ggml, and stand in files of their time; 4 and 5 were
 * gone before GGUF.
 *
 * @see https://github.com/ggml-org/ggml/blob/master/include/ggml.h enum ggml_type; src/ggml-common.h, the block_* structures
 */
const TABLE =
  "0 F32 1 4;1 F16 1 2;2 Q4_0 32 18;3 Q4_1 32 20;6 Q5_0 32 22;7 Q5_1 32 24;8 Q8_0 32 34;9 Q8_1 32 36;" +
  "10 Q2_K 256 84;11 Q3_K 256 110;12 Q4_K 256 144;13 Q5_K 256 176;14 Q6_K 256 210;15 Q8_K 256 292;" +
  "16 IQ2_XXS 256 66;17 IQ2_XS 256 74;18 IQ3_XXS 256 98;19 IQ1_S 256 50;20 IQ4_NL 32 18;21 IQ3_S 256 110;22 IQ2_S 256 82;23 IQ4_XS 256 136;" +
  "24 I8 1 1;25 I16 1 2;26 I32 1 4;27 I64 1 8;28 F64 1 8;29 IQ1_M 256 56;30 BF16 1 2;31 Q4_0_4_4 32 18;32 Q4_0_4_8 32 18;33 Q4_0_8_8 32 18;" +
  "34 TQ1_0 256 54;35 TQ2_0 256 66;36 IQ4_NL_4_4 32 18;37 IQ4_NL_4_8 32 18;38 IQ4_NL_8_8 32 18;39 MXFP4 32 17;40 NVFP4 64 36;41 Q1_0 128 18";

/** Every type that files name, by its id. */
export const GGML_TYPES: ReadonlyMap<number, GgmlType> = /* @__PURE__ */ readTable();

function readTable(): Map<number, GgmlType> {
  const types = TABLE.split(";").map((row): GgmlType => {
    const [id, name = "", elements, bytes] = row.split(" ");
    return { id: Number(id), name, elements: Number(elements), bytes: Number(bytes) };
  });
  return new Map(types.map((type) => [type.id, type]));
}

/** The type that has this name, which is a dtype's as well. */
export function ggmlTypeNamed(name: string): GgmlType | undefined {
  for (const type of GGML_TYPES.values()) if (type.name === name) return type;
  return undefined;
}

/** How blocks become numbers, as ggml's `dequantize_row_*` computes them: in float32, in the same order. */
const DECODERS: Readonly<Record<string, BlockCoding["decode"]>> = {
  Q4_0: decodeQ4_0,
  Q4_1: decodeQ4_1,
  Q5_0: decodeQ5_0,
  Q5_1: decodeQ5_1,
  Q8_0: decodeQ8_0,
  Q2_K: decodeQ2K,
  Q3_K: decodeQ3K,
  Q4_K: decodeQ4K,
  Q5_K: decodeQ5K,
  Q6_K: decodeQ6K,
  Q8_K: decodeQ8K,
  IQ4_NL: decodeIq4Nl,
  IQ4_XS: decodeIq4Xs,
  MXFP4: decodeMxfp4,
};

/** How elements of a type are packed; undefined where they stand alone, or where their numbers are not worked out here. */
export function blockCodingOf({ name, elements, bytes }: GgmlType): BlockCoding | undefined {
  const decode = Object.hasOwn(DECODERS, name) ? DECODERS[name] : undefined;
  return decode && { elements, bytes, decode };
}

/** Where numbers of more than one byte stand in a block: [offset, bytes, how many]. The rest are bytes. */
const WORDS: Readonly<Record<string, readonly (readonly [number, number, number])[]>> = {
  Q4_0: [[0, 2, 1]],
  Q4_1: [[0, 2, 2]],
  Q5_0: [[0, 2, 1]],
  Q5_1: [[0, 2, 2]],
  Q8_0: [[0, 2, 1]],
  Q2_K: [[80, 2, 2]],
  Q3_K: [[108, 2, 1]],
  Q4_K: [[0, 2, 2]],
  Q5_K: [[0, 2, 2]],
  Q6_K: [[208, 2, 1]],
  Q8_K: [
    [0, 4, 1],
    [260, 2, 16],
  ],
  IQ4_NL: [[0, 2, 1]],
  IQ4_XS: [[0, 2, 2]],
  MXFP4: [],
};

/** Offsets and sizes of what is swapped in a block of another byte order; undefined where that is not known here. */
export function swappedWords({ name }: GgmlType): { at: number; bytes: number }[] | undefined {
  if (!Object.hasOwn(WORDS, name)) return undefined;
  return WORDS[name]?.flatMap(([at, bytes, count]) => Array.from({ length: count }, (_, index) => ({ at: at + index * bytes, bytes })));
}
