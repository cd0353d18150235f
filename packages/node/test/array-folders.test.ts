import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { codeOf } from "@ckptkit/testkit";
import { loadFolder } from "@ckptkit/testkit/vite";
import { expect, it } from "vitest";
import { listFolder, nodePlatform, openCheckpoint } from "../src/index.js";
import { tempFolder } from "./temp-folder.js";

const { at } = tempFolder();

/** Puts the files of a fixture into a folder. */
async function unpack(zip: string, name = zip.replace(/\.zip$/, ""), left: readonly string[] = []): Promise<string> {
  for (const [path, bytes] of await loadFolder(zip)) {
    if (left.includes(path)) continue;
    const file = join(at(name), path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  }
  return at(name);
}

it.each([
  ["orbax-default.zip", "orbax", 5],
  ["orbax-plain.zip", "orbax", 5],
  ["orbax-zarr3.zip", "orbax", 2],
  ["ocdbt-numbered.zip", "ocdbt", 1],
  ["ocdbt-merged.zip", "ocdbt", 1],
  ["zarr-v2.zip", "zarr", 20],
  ["zarr-v2-single.zip", "zarr", 1],
  ["zarr-v3.zip", "zarr", 18],
] as const)("the folder of %s opens by its name, and every tensor can be read", async (zip, format, count) => {
  const folder = await unpack(zip);
  for (const uri of [folder, `${folder}/`]) {
    const checkpoint = await openCheckpoint(uri);
    expect([checkpoint.format, checkpoint.tensors.length, checkpoint.findings]).toEqual([format, count, []]);
    for (const tensor of checkpoint.tensors) expect(await tensor.read()).toHaveLength(tensor.byteLength);
    await checkpoint.close();
  }
});

it("a group without consolidated metadata is looked through, links included", async () => {
  const folder = await unpack("zarr-v2.zip", "separate", [".zmetadata"]);
  symlinkSync(join(folder, "model"), join(folder, "linked"));
  symlinkSync(join(folder, "nowhere"), join(folder, "dangling"));
  const checkpoint = await openCheckpoint(folder);
  expect(checkpoint.findings).toEqual([]);
  expect(checkpoint.tensors.map(({ path }) => path)).toContain("linked.layer.bias");
  expect(checkpoint.tensors).toHaveLength(23);
  await checkpoint.close();
});

it("a folder with one step opens by it; with several, the steps are named from the last on", async () => {
  const one = await unpack("orbax-default.zip", "runs/only/step_7").then(dirname);
  const checkpoint = await openCheckpoint(one);
  expect([checkpoint.format, checkpoint.tensors.length]).toEqual(["orbax", 5]);
  await checkpoint.close();
  const several = await unpack("orbax-manager.zip");
  await expect(openCheckpoint(several)).rejects.toMatchObject({
    code: "SEVERAL_CHECKPOINTS",
    message: expect.stringContaining("2 steps of Orbax: 10, 5"),
    suggestions: [`Choose one by its folder, such as the last: ${several}/10`],
  });
  const step = await openCheckpoint(join(several, "5"));
  expect(step.metadata).toMatchObject({ info: { loss: 1.25 } });
  await step.close();
});

it("opens over http, by the file that describes a folder", async () => {
  const folder = at("orbax-default");
  const server = createServer((request, response) => {
    try {
      const bytes = readFileSync(folder + decodeURIComponent(request.url ?? ""));
      const [start = 0, last = 0] =
        /(\d+)-(\d+)/
          .exec(request.headers.range ?? "")
          ?.slice(1)
          .map(Number) ?? [];
      const body = bytes.subarray(start, last + 1);
      response.writeHead(206, { "content-range": `bytes ${start}-${start + body.length - 1}/${bytes.length}` }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = server.address() as AddressInfo; // a TCP server's
    const checkpoint = await openCheckpoint(`http://127.0.0.1:${port}/_METADATA`, { platform: nodePlatform({ retry: false }) });
    expect([checkpoint.tensors.length, checkpoint.findings]).toEqual([5, []]);
    for (const tensor of checkpoint.tensors) expect(await tensor.read()).toHaveLength(tensor.byteLength);
    await checkpoint.close();
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

it("listFolder gives names, those of folders with a slash, and codes for what is no folder", async () => {
  const folder = await unpack("orbax-default.zip", "listed");
  expect(await listFolder(folder)).toEqual([
    "_CHECKPOINT_METADATA",
    "_METADATA",
    "_sharding",
    "_strings.json",
    "array_metadatas/",
    "commit_success.txt",
    "d/",
    "manifest.ocdbt",
    "ocdbt.process_0/",
  ]);
  expect(await codeOf(listFolder(join(folder, "nothing")))).toBe("NOT_FOUND");
  expect(await codeOf(listFolder(join(folder, "_METADATA")))).toBe("NOT_FOUND");
});
