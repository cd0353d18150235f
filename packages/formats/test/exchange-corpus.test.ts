import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CheckpointNotFoundError, memorySource } from "@ckptkit/core";
import { corpus } from "@ckptkit/testkit/node";
import { describe, expect, it } from "vitest";
import { openCheckpoint } from "../src/index.js";
import { TF_TYPES } from "../src/tf-bundle/data-types.js";
import { sha256 } from "./truth.js";

const entries = corpus("onnx", "tf-bundle-index", "tf-bundle-data") ?? [];

/** ONNX's names of dtypes, where TensorFlow's are those of its table. */
const ONNX_CODES: Readonly<Record<string, string>> = { FLOAT: "F32", INT64: "I64", INT8: "I8", UINT8: "U8" };
const TF_NAMES: Readonly<Record<string, string>> = { float32: "float", float64: "double" };

function codeOf(dtype: string): string | undefined {
  const name = TF_NAMES[dtype] ?? dtype;
  return ONNX_CODES[dtype] ?? [...TF_TYPES.values()].find((type) => type.name === name)?.dtype;
}

describe.skipIf(entries.length === 0)("real ONNX models and TensorFlow checkpoints, where shared/corpus lies beside the repository", () => {
  it.each(entries.map((entry) => [entry.file, entry] as const))(
    "%s gives every tensor, digest for digest",
    async (_, { path, format, truth }) => {
      const open = async (name: string) => {
        const file = join(dirname(path), name);
        if (!existsSync(file)) throw new CheckpointNotFoundError("NOT_FOUND", `There is no ${name}.`);
        return memorySource(await readFile(file), name);
      };
      const checkpoint = await openCheckpoint(await open(basename(path)), { openSibling: open });
      expect(checkpoint.format).toBe(format === "onnx" ? "onnx" : "tf-bundle");
      expect(checkpoint.findings.filter(({ severity }) => severity !== "info")).toEqual([]);
      const found = new Map(checkpoint.tensors.map((tensor) => [tensor.path, tensor]));
      for (const { name, dtype, shape, sha256: digest } of truth.tensors) {
        if (dtype === "string") continue;
        const tensor = found.get(name);
        expect([tensor?.dtype, tensor?.shape], name).toEqual([codeOf(dtype), shape]);
        if (tensor && digest !== null) expect(await sha256(await tensor.read()), name).toBe(digest);
      }
    },
  );
});
