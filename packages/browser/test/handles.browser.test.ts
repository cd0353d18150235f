import { codeOf, patternBytes } from "@ckptkit/testkit";
import { loadFixture } from "@ckptkit/testkit/vite";
import { describe, expect, it } from "vitest";
import { browserPlatform, folderOf, openCheckpoint } from "../src/index.js";
import { freshName, putOpfs } from "./opfs-folder.js";

const INDEX = "st-sharded.safetensors.index.json";
const SHARDS = [1, 2, 3].map((number) => `st-sharded-0000${number}-of-00003.safetensors`);

describe("what only a browser has", () => {
  it("opens file handles, and folders by their handle", async () => {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle(freshName(), { create: true });
    const deep = await folder.getDirectoryHandle("weights", { create: true });
    for (const name of [INDEX, ...SHARDS]) {
      const writable = await (await deep.getFileHandle(name, { create: true })).createWritable();
      await writable.write(await loadFixture(name));
      await writable.close();
    }
    const checkpoint = await openCheckpoint(folder);
    expect(checkpoint.format).toBe("safetensors-sharded");
    expect(await codeOf(folderOf(folder).open("weights/nothing"))).toBe("NOT_FOUND");
    expect(await codeOf(folderOf(folder).open("../weights"))).toBe("NOT_FOUND");
    expect(await codeOf(folderOf(folder).open("weights"))).toBe("NOT_A_FILE");
    expect((await openCheckpoint(await deep.getFileHandle(SHARDS[0] ?? ""))).format).toBe("safetensors");
  });

  it("opens opfs:, blob: and registered addresses, and addresses relative to the page", async () => {
    const bytes = await loadFixture("st-basic.safetensors");
    const name = freshName();
    const handle = await putOpfs(name, bytes);
    const platform = browserPlatform();
    const url = URL.createObjectURL(new Blob([bytes]));
    for (const address of [`opfs:/${name}`, url, platform.register(handle), platform.register(new File([bytes], "x y.safetensors"))]) {
      expect((await openCheckpoint(address, { platform })).format).toBe("safetensors");
    }
    URL.revokeObjectURL(url);
    expect(await codeOf(openCheckpoint(url))).toBe("NOT_FOUND");
    expect(await codeOf(openCheckpoint("gs://bucket/model.ckpt"))).toBe("UNSUPPORTED_URI");
    expect(await codeOf(platform.open("no-such-file-here/model.ckpt"))).not.toBe("UNSUPPORTED_URI");
  });

  it("writes opfs:, download: and registered addresses, and no others", async () => {
    const files: File[] = [];
    const platform = browserPlatform({ onFile: (file) => files.push(file) });
    const name = freshName();
    const handle = await putOpfs(freshName(), new Uint8Array(3));
    for (const address of [`opfs:/${name}`, "download:model.safetensors", platform.register(handle)]) {
      const sink = await platform.create(address);
      await sink.write(patternBytes(100));
      await sink.commit();
    }
    expect((await platform.open(`opfs:/${name}`)).size).toBe(100);
    expect(files.map((file) => [file.name, file.size])).toEqual([["model.safetensors", 100]]);
    expect((await handle.getFile()).size).toBe(100);
    expect(await codeOf(platform.create("https://example.org/model.ckpt"))).toBe("UNSUPPORTED_URI");
  });
});
