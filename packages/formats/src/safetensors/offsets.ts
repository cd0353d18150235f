import { CheckpointLoadError, DTYPES, type DType } from "@ckptkit/core";
import { quoted } from "../quoted.js";

/** One tensor of a header. Offsets are bytes from the start of the data section. */
export interface HeaderTensor {
  name: string;
  dtype: DType;
  shape: number[];
  begin: number;
  end: number;
}

/**
 * Checks that tensors fill the data section: the first at 0, no gap, no overlap, each as long as its dtype and shape say, the
 * last at the end of the file.
 *
 * @throws {CheckpointLoadError} SAFETENSORS_OFFSETS
 * @see https://github.com/huggingface/safetensors#format
 */
export function checkOffsets(tensors: readonly HeaderTensor[], dataBytes: number, file: string): void {
  let at = 0;
  for (const tensor of [...tensors].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    checkLength(tensor, file);
    if (tensor.begin !== at) {
      const what = tensor.begin < at ? "overlaps the one before" : "leaves a hole";
      throw wrong(`${labelOf(tensor, file)} begins at ${tensor.begin} of the data, not ${at}: it ${what}.`, {
        tensor: tensor.name,
        expected: at,
        found: tensor.begin,
      });
    }
    at = tensor.end;
  }
  if (at > dataBytes) {
    const missing = tensors.filter(({ end }) => end > dataBytes).length;
    throw wrong(
      `${file} is cut off: its tensors need ${at} bytes of data, but it has ${dataBytes}. ${missing} of ${tensors.length} tensors are incomplete.`,
      { expected: at, found: dataBytes, incompleteTensors: missing },
      ["Fetch the file again, or compare its size with the original's."],
    );
  }
  if (at < dataBytes) {
    throw wrong(`${file} has ${dataBytes - at} bytes after the last tensor.`, { expected: at, found: dataBytes }, [
      "Something was appended, or the header is that of another file.",
    ]);
  }
}

/**
 * Checks that a tensor is as long as its dtype and shape say.
 *
 * @throws {CheckpointLoadError} SAFETENSORS_OFFSETS
 */
export function checkLength(tensor: HeaderTensor, file: string): void {
  const { name, dtype, shape, begin, end } = tensor;
  // Beyond 2^53 - 1 the product is not exact any more, and no file is so long.
  let bits: number = DTYPES[dtype].bits;
  for (const size of shape) bits = Number.isSafeInteger(bits) ? bits * size : bits;
  if (!Number.isSafeInteger(bits) || bits % 8 !== 0) {
    const count = Number.isSafeInteger(bits) ? `${bits} bits, no whole bytes` : "more than 2^53 - 1 bits";
    throw wrong(`${labelOf(tensor, file)} is ${dtype} of shape [${shape.slice(0, 16).join(", ")}]: ${count}.`, { tensor: name });
  }
  if (end - begin === bits / 8) return;
  throw wrong(
    `${labelOf(tensor, file)} spans [${begin}, ${end}), but ${dtype} of shape [${shape.slice(0, 16).join(", ")}] needs ${bits / 8} bytes.`,
    { tensor: name, expected: bits / 8, found: end - begin },
  );
}

const labelOf = ({ name }: HeaderTensor, file: string): string => `Tensor ${quoted(name)} of ${file}`;

const wrong = (message: string, details: Record<string, unknown>, suggestions: string[] = []): CheckpointLoadError =>
  new CheckpointLoadError("SAFETENSORS_OFFSETS", message, { details, suggestions });
