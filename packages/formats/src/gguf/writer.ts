import {
  type ByteSink,
  CheckpointConfigError,
  CheckpointValidationError,
  type CreateSink,
  type Finding,
  type Kernels,
  type OutputTensor,
} from "@ckptkit/core";
import { OutputBytes } from "../output-bytes.js";
import { quoted } from "../quoted.js";
import { checkUniqueNames } from "../tensor-names.js";
import { type WriteOptions, type WriteResult, writeSession } from "../write-session.js";
import { aligned, MOST_AXES, USUAL_ALIGNMENT } from "./header.js";
import { isQuantizable, quantizedTensor } from "./quantize.js";
import { ggmlTypeNamed } from "./types.js";
import { size64, stringBytes, u32, valueBytes } from "./value-bytes.js";
import type { GgufValue } from "./values.js";

/** How to write GGUF. */
export interface GgufWriteOptions extends WriteOptions {
  kernels: Kernels;
  /** Written as it is, but for `general.alignment`, which is 32. */
  metadata?: ReadonlyMap<string, GgufValue> | undefined;
  /** Writes F32 matrices whose rows are whole blocks of 32 as Q8_0. */
  quantize?: "Q8_0" | undefined;
}

/** What was written, and what about it llama.cpp would refuse. */
export interface GgufWriteResult extends WriteResult {
  findings: Finding[];
}

/** The version that is written. */
const VERSION = 3;
const ALIGNMENT_KEY = "general.alignment";
/** GGML_MAX_NAME, less the byte that ends a string in C. @see https://github.com/ggml-org/ggml/blob/master/include/ggml.h */
const MOST_NAME_BYTES = 63;

/**
 * Writes tensors as GGUF of version 3: those of the dtypes F32, F16, BF16, F64, I8 to I64, and blocks of ggml's types as they are. Streams.
 * Tied tensors are written each.
 *
 * @throws {CheckpointValidationError} UNSUPPORTED_DTYPE, UNSUPPORTED_SHAPE for more than four axes, NAME_CONFLICT
 * @throws {CheckpointConfigError} INVALID_ARGUMENT when a tensor gives more or fewer bytes than it declares
 * @see https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 * @example
 * const metadata = new Map([["general.architecture", { type: "string", value: "llama" }]]);
 * await writeGguf(tensors, (name) => fileSink(name), { fileName: "model.gguf", kernels, buffer: new Uint8Array(1 << 20), metadata });
 */
export async function writeGguf(tensors: readonly OutputTensor[], create: CreateSink, options: GgufWriteOptions): Promise<GgufWriteResult> {
  const { fileName, metadata = new Map<string, GgufValue>(), quantize, kernels } = options;
  checkUniqueNames(tensors);
  checkRepresentable(tensors);
  const written = tensors.map((tensor) =>
    quantize === "Q8_0" && tensor.dtype === "F32" && isQuantizable(tensor.shape) ? quantizedTensor(tensor, kernels) : tensor,
  );
  const bytes = new OutputBytes(written, options);
  const files = await writeSession(create, options, async (open) => {
    const sink = await open(fileName);
    await writeHeader(sink, written, metadata);
    for (const tensor of written) {
      await pad(sink);
      await bytes.writeTo(sink, [tensor]);
    }
    await pad(sink);
  });
  return { files, ties: new Map(), findings: longNames(tensors) };
}

/** Dtypes of blocks are known by their byte length: a name alone may be another format's. */
function checkRepresentable(tensors: readonly OutputTensor[]): void {
  const wrong = tensors.filter(({ dtype }) => !ggmlTypeNamed(dtype));
  if (wrong.length > 0) {
    const listed = wrong.slice(0, 5).map(({ name, dtype }) => `${quoted(name)} (${dtype})`);
    throw new CheckpointValidationError(
      "UNSUPPORTED_DTYPE",
      `GGUF has no type for ${wrong.length} of the tensors: ${listed.join(", ")}${wrong.length > 5 ? " ..." : ""}.`,
      {
        details: { tensors: wrong.slice(0, 100).map(({ name, dtype }) => ({ name, dtype })) },
        suggestions: ["Leave these tensors out with --filter."],
      },
    );
  }
  for (const { name, dtype, shape, byteLength } of tensors) {
    if (shape.length > MOST_AXES) {
      throw new CheckpointValidationError(
        "UNSUPPORTED_SHAPE",
        `${quoted(name)} has ${shape.length} axes, and GGUF holds ${MOST_AXES} at most.`,
        {
          details: { name, shape },
          suggestions: ["Leave the tensor out with --filter."],
        },
      );
    }
    if (!name.isWellFormed()) {
      throw new CheckpointValidationError("NAME_CONFLICT", `GGUF cannot hold a tensor named ${quoted(name)}.`, { details: { name } });
    }
    const type = ggmlTypeNamed(dtype);
    const expected = type ? (shape.reduce((product, size) => product * size, 1) / type.elements) * type.bytes : Number.NaN;
    if (expected === byteLength) continue;
    throw new CheckpointConfigError(
      "INVALID_ARGUMENT",
      `The tensor ${quoted(name)}, ${dtype} of shape [${shape.join(", ")}], declares ${byteLength} bytes, where ${expected} were expected.`,
      { details: { name, dtype, shape, byteLength } },
    );
  }
}

async function writeHeader(sink: ByteSink, tensors: readonly OutputTensor[], metadata: ReadonlyMap<string, GgufValue>): Promise<void> {
  const values = [...metadata].filter(([key]) => key !== ALIGNMENT_KEY);
  const parts: Uint8Array[] = [new TextEncoder().encode("GGUF"), u32(VERSION), size64(tensors.length), size64(values.length)];
  for (const [key, value] of values) for (const part of [...stringBytes(key), ...valueBytes(value)]) parts.push(part);
  let offset = 0;
  for (const { name, dtype, shape, byteLength } of tensors) {
    const sizes = [...shape].reverse().map(size64);
    parts.push(...stringBytes(name), u32(shape.length), ...sizes, u32(ggmlTypeNamed(dtype)?.id ?? 0), size64(offset));
    offset = aligned(offset + byteLength, USUAL_ALIGNMENT);
  }
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  await sink.write(bytes);
}

/** Fills up with zeros to where a tensor may begin. */
async function pad(sink: ByteSink): Promise<void> {
  const missing = aligned(sink.position, USUAL_ALIGNMENT) - sink.position;
  if (missing > 0) await sink.write(new Uint8Array(missing));
}

function longNames(tensors: readonly OutputTensor[]): Finding[] {
  const long = tensors.filter(({ name }) => new TextEncoder().encode(name).length > MOST_NAME_BYTES);
  if (long.length === 0) return [];
  const first = quoted(long[0]?.name ?? "");
  const message = `${long.length} names are longer than ${MOST_NAME_BYTES} bytes, the first of them ${first}: llama.cpp refuses such files.`;
  return [{ rule: "gguf-long-name", severity: "warning", message }];
}
