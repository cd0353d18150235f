import { CheckpointConfigError, CheckpointValidationError, DTYPES, isDType, type OutputTensor } from "@ckptkit/core";
import { quoted } from "../quoted.js";
import { SAFETENSORS_DTYPES } from "./header.js";

/** A tensor with the dtype and shape that the format writes for it. */
export interface OutputEntry {
  tensor: OutputTensor;
  dtype: string;
  shape: readonly number[];
}

/**
 * Checks that the format can hold all of these tensors and strings.
 *
 * @throws {CheckpointValidationError} UNSUPPORTED_DTYPE, NAME_CONFLICT
 * @throws {CheckpointConfigError} INVALID_ARGUMENT for metadata that is not well-formed text
 */
export function checkRepresentable(tensors: readonly OutputTensor[], metadata: Readonly<Record<string, string>>): void {
  const wrong = tensors.filter(({ dtype }) => !SAFETENSORS_DTYPES.has(dtype) && dtype !== "F4_X2");
  if (wrong.length > 0) {
    const listed = wrong.slice(0, 5).map(({ name, dtype }) => `${quoted(name)} (${dtype})`);
    throw new CheckpointValidationError(
      "UNSUPPORTED_DTYPE",
      `safetensors has no dtype for ${wrong.length} of the tensors: ${listed.join(", ")}${wrong.length > 5 ? " ..." : ""}.`,
      {
        details: { tensors: wrong.slice(0, 100).map(({ name, dtype }) => ({ name, dtype })) },
        suggestions: [
          wrong.every(({ dtype }) => isDType(dtype))
            ? "Write a torch file (--to state_dict), which keeps these dtypes."
            : "Turn quantised blocks into numbers with --dtype F32, F16 or BF16.",
          "Leave these tensors out with --filter.",
        ],
      },
    );
  }
  for (const { name } of tensors) {
    if (name !== "__metadata__" && name.isWellFormed()) continue;
    throw new CheckpointValidationError("NAME_CONFLICT", `safetensors cannot hold a tensor named ${quoted(name)}.`, {
      details: { name },
      suggestions: ["Leave the tensor out with --filter."],
    });
  }
  for (const text of Object.entries(metadata).flat()) {
    if (text.isWellFormed()) continue;
    throw new CheckpointConfigError("INVALID_ARGUMENT", `The metadata ${quoted(text)} holds half of a surrogate pair: safetensors cannot.`);
  }
}

/**
 * How the format describes a tensor. torch counts pairs of 4-bit floats as one element, safetensors counts both.
 *
 * @throws {CheckpointConfigError} INVALID_ARGUMENT when shape and size of the tensor do not fit together
 */
export function toEntry(tensor: OutputTensor): OutputEntry {
  const { dtype, byteLength, name } = tensor;
  const shape = [...tensor.shape];
  if (dtype === "F4_X2") {
    if (shape.length === 0) shape.push(2);
    else shape[shape.length - 1] = 2 * (shape.at(-1) ?? 1);
  }
  const written = dtype === "F4_X2" ? "F4" : dtype;
  const bits = shape.reduce((product, size) => product * size, 1) * (isDType(written) ? DTYPES[written].bits : Number.NaN);
  if (bits === 8 * byteLength) return { tensor, dtype: written, shape };
  throw new CheckpointConfigError(
    "INVALID_ARGUMENT",
    `The tensor ${quoted(name)}, ${dtype} of shape [${tensor.shape.join(", ")}], declares ${byteLength} bytes, where ${bits / 8} were expected.`,
    { details: { name, dtype, shape: tensor.shape, byteLength } },
  );
}

/** Widest dtype first, so that every tensor is aligned to its elements; then by name. The reference implementation's order. */
export function inFileOrder(a: OutputEntry, b: OutputEntry): number {
  const bits = ({ dtype }: OutputEntry): number => (isDType(dtype) ? DTYPES[dtype].bits : 0);
  return bits(b) - bits(a) || (a.tensor.name < b.tensor.name ? -1 : 1);
}
