import { createHash } from "node:crypto";
import { type Checkpoint, CheckpointNotFoundError, memorySource } from "@ckptkit/core";
import { openCheckpoint } from "@ckptkit/formats";
import { convertCheckpoint } from "@ckptkit/inspect";
import { readFixture } from "@ckptkit/testkit/node";
import { loadKernels } from "@ckptkit/wasm";
import { describe, expect, it } from "vitest";
import { memoryFolder } from "./opened.js";

const kernels = await loadKernels();

/** The checkpoint of four processes, whose files lie beside the other fixtures under a longer name. */
async function openMesh(): Promise<Checkpoint> {
  const openSibling = async (name: string) => {
    const bytes = await readFixture(`dcp-mesh${name}`).catch(() => undefined);
    if (!bytes) throw new CheckpointNotFoundError("NOT_FOUND", `There is no ${name}.`);
    return memorySource(bytes, name);
  };
  return openCheckpoint(await openSibling(".metadata"), { openSibling });
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

describe("a distributed checkpoint in one file", () => {
  it.each(["safetensors", "state_dict"] as const)("as %s has the weights that torch puts together", async (to) => {
    const folder = memoryFolder();
    await convertCheckpoint(await openMesh(), folder.create, { kernels, fileName: "one", to });
    const { tensors } = await folder.open("one");
    const truth = (JSON.parse(new TextDecoder().decode(await readFixture("torch-containers.json"))) as Truth).fixtures;
    const expected = truth.find(({ file }) => file === "dcp-mesh.metadata")?.tensors ?? [];
    expect(tensors.length).toBe(expected.length);
    for (const { path, dtype, shape, sha256: digest } of expected) {
      const tensor = tensors.find(({ name }) => `model.${name}` === path);
      expect(tensor && [tensor.dtype, tensor.shape, sha256(await tensor.read())], path).toEqual([dtype, shape, digest]);
    }
  });

  it("reads no chunk more than once", async () => {
    const reads = new Map<string, number>();
    const counted = async (name: string) => {
      const source = memorySource(await readFixture(`dcp-mesh${name}`), name);
      return {
        ...source,
        read: (start: number, end: number) => {
          reads.set(name, (reads.get(name) ?? 0) + end - start);
          return source.read(start, end);
        },
        readInto: undefined,
      };
    };
    const checkpoint = await openCheckpoint(await counted(".metadata"), { openSibling: counted });
    await convertCheckpoint(checkpoint, memoryFolder().create, { kernels, fileName: "one", to: "safetensors" });
    for (const [name, bytes] of reads) expect(bytes, name).toBeLessThanOrEqual((await readFixture(`dcp-mesh${name}`)).length);
  });
});

interface Truth {
  fixtures: { file: string; tensors: { path: string; dtype: string; shape: number[]; sha256: string }[] }[];
}
