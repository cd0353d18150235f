import { expectSameBytes, patternBytes } from "@ckptkit/testkit";
import { expect, it } from "vitest";
import { browserPlatform, rangeCache } from "../src/index.js";
import { rangeServer } from "./range-server.js";

const ADDRESS = "https://models.example/model.bin";

it("rangeCache lets everything through where nothing can be kept, as in Node", async () => {
  const cache = rangeCache();
  expect(cache.available).toBe(false);
  expect(await cache.has(ADDRESS)).toBe(false);
  const bytes = new Uint8Array(patternBytes(1000));
  const source = await browserPlatform({ http: { fetch: rangeServer(bytes).fetch }, cache }).open(ADDRESS);
  expectSameBytes(await source.read(10, 900), bytes.subarray(10, 900));
  expect(await cache.usage()).toMatchObject({ bytes: 0, files: 0 });
  await cache.clear();
});
