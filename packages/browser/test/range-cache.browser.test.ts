import { byteSourceContract, codeOf, expectSameBytes, patternBytes } from "@ckptkit/testkit";
import { loadFixture } from "@ckptkit/testkit/vite";
import { describe, expect, it } from "vitest";
import { browserPlatform, openCheckpoint, type RangeCacheOptions, rangeCache } from "../src/index.js";
import { freshName, namesIn } from "./opfs-folder.js";
import { type RangeServer, rangeServer } from "./range-server.js";

const ADDRESS = "https://models.example/model.bin";
const pattern = (length: number, seed?: number): Uint8Array<ArrayBuffer> => new Uint8Array(patternBytes(length, seed));

/** A cache of its own for a test. */
const freshCache = (options: RangeCacheOptions = {}) => rangeCache({ name: freshName(), ...options });
const platformOf = ({ fetch }: RangeServer, cache: ReturnType<typeof rangeCache>) => browserPlatform({ http: { fetch }, cache });

describe.each(["opfs", "cache-api"] as const)("rangeCache in %s", (storage) => {
  byteSourceContract("a source that is kept", (bytes) =>
    platformOf(rangeServer(new Uint8Array(bytes)), freshCache({ storage })).open(ADDRESS),
  );

  it("opens a file for the second time with one request for one byte", async () => {
    const server = rangeServer(await loadFixture("vit-tiny.ckpt"));
    const name = freshName();
    const first = rangeCache({ storage, name });
    const opened = await openCheckpoint(ADDRESS, { platform: platformOf(server, first) });
    await opened.tensors[0]?.read();
    const paths = opened.tensors.map(({ path }) => path);
    await first.settled();
    server.ranges.length = 0;
    // Another visit: nothing of the first one is in memory.
    const again = await openCheckpoint(ADDRESS, { platform: platformOf(server, rangeCache({ storage, name })) });
    expect(again.tensors.map((tensor) => tensor.path)).toEqual(paths);
    await again.tensors[0]?.read();
    expect(server.ranges).toEqual(["0-0"]);
  });

  it("does not serve another version of the file", async () => {
    const server = rangeServer(pattern(300_000, 1));
    const cache = freshCache({ storage });
    const before = await platformOf(server, cache).open(ADDRESS);
    await before.read(0, 300_000);
    await cache.settled();
    server.file = pattern(300_000, 2);
    server.etag = '"v2"';
    const after = await platformOf(server, cache).open(ADDRESS);
    expectSameBytes(await after.read(0, 300_000), pattern(300_000, 2));
  });

  it("takes addresses that differ in their signature for the same file", async () => {
    const server = rangeServer(pattern(100_000));
    const cache = freshCache({ storage });
    await (await platformOf(server, cache).open(`${ADDRESS}?X-Amz-Signature=one`)).read(0, 100_000);
    await cache.settled();
    server.ranges.length = 0;
    await (await platformOf(server, cache).open(`${ADDRESS}?X-Amz-Signature=two`)).read(0, 100_000);
    expect(server.ranges).toEqual(["0-0"]);
  });

  it("keeps nothing of a file whose version the server does not tell", async () => {
    const server = rangeServer(pattern(100_000), undefined);
    server.etag = undefined;
    const cache = freshCache({ storage });
    await (await platformOf(server, cache).open(ADDRESS)).read(0, 100_000);
    await cache.settled();
    expect((await cache.usage()).files).toBe(0);
  });

  it("lets one file take a quarter of the room, and reads the rest through", async () => {
    const maxBytes = 1024 * 1024;
    const server = rangeServer(pattern(1_000_000));
    const cache = freshCache({ storage, maxBytes });
    const source = await platformOf(server, cache).open(ADDRESS);
    for (let at = 0; at < 1_000_000; at += 100_000)
      expectSameBytes(await source.read(at, at + 100_000), pattern(1_000_000).subarray(at, at + 100_000));
    await cache.settled();
    const { bytes } = await cache.usage();
    expect(bytes).toBeGreaterThan(64 * 1024);
    expect(bytes).toBeLessThanOrEqual(maxBytes / 4 + 1);
  });

  it("drops the files that were opened longest ago when there is no more room", async () => {
    const maxBytes = 400_000;
    const server = rangeServer(pattern(90_000));
    const cache = freshCache({ storage, maxBytes });
    for (let index = 0; index < 8; index++) {
      await (await platformOf(server, cache).open(`${ADDRESS}.${index}`)).read(0, 90_000);
      await cache.settled();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect((await cache.usage()).bytes).toBeLessThanOrEqual(maxBytes);
    expect(await cache.has(`${ADDRESS}.0`)).toBe(false);
    expect(await cache.has(`${ADDRESS}.7`)).toBe(true);
  });

  it("forgets everything when it is told to, also what an open source still counts on", async () => {
    const cache = freshCache({ storage });
    const server = rangeServer(pattern(200_000));
    await (await platformOf(server, cache).open(ADDRESS)).read(0, 200_000);
    await cache.settled();
    const source = await platformOf(server, cache).open(ADDRESS);
    await cache.clear();
    expect(await cache.usage()).toMatchObject({ bytes: 0, files: 0 });
    expectSameBytes(await source.read(0, 200_000), pattern(200_000));
    expectSameBytes(await source.read(70_000, 70_010), pattern(200_000).subarray(70_000, 70_010));
  });

  it("gives the right bytes to two tabs that read, write and clear at the same time", async () => {
    const name = freshName();
    const server = rangeServer(pattern(400_000));
    const tabs = [0, 1].map(() => rangeCache({ storage, name, maxBytes: 1_000_000 }));
    await Promise.all(
      tabs.map(async (cache, tab) => {
        for (let round = 0; round < 6; round++) {
          const source = await platformOf(server, cache).open(ADDRESS);
          const starts = [0, 1, 2, 3, 4].map((index) => (index * 77_777 + round * 13_000 + tab * 999) % 390_000);
          const found = await Promise.all(starts.map((start) => source.read(start, start + 10_000)));
          for (const [index, start] of starts.entries()) expectSameBytes(found[index], pattern(400_000).subarray(start, start + 10_000));
          if (round % 3 === tab) await cache.clear();
        }
        await cache.settled();
      }),
    );
  });

  it("refuses a size that is none", async () => {
    expect(await codeOf(Promise.resolve().then(() => rangeCache({ maxBytes: -1, storage })))).toBe("INVALID_ARGUMENT");
  });
});

describe("rangeCache and what it finds on disk", () => {
  it("does not serve extents that are not whole", async () => {
    const name = freshName();
    const server = rangeServer(pattern(300_000));
    const cache = rangeCache({ name });
    await (await platformOf(server, cache).open(ADDRESS)).read(0, 300_000);
    await cache.settled();
    const root = await (await navigator.storage.getDirectory()).getDirectoryHandle(`.${name}`);
    for (const id of await namesIn(`.${name}`)) {
      const folder = await root.getDirectoryHandle(id);
      for await (const file of folder.keys()) {
        const writable = await (await folder.getFileHandle(file)).createWritable();
        await writable.write(new Uint8Array(10));
        await writable.close();
      }
    }
    expectSameBytes(await (await platformOf(server, rangeCache({ name })).open(ADDRESS)).read(0, 300_000), pattern(300_000));
  });
});
