import { byteSinkContract, byteSourceContract, codeOf, patternBytes } from "@ckptkit/testkit";
import { describe, expect, it } from "vitest";
import {
  type ByteSource,
  blobSource,
  cacheSource,
  coalesceSource,
  countSource,
  httpSource,
  type MemorySink,
  memorySink,
  memorySource,
  progressSource,
  retrySource,
  sliceSource,
} from "../src/index.js";
import { rangeFetch } from "./range-fetch.js";

const http = (bytes: Uint8Array): Promise<ByteSource> => httpSource("https://example.org/model.bin", { fetch: rangeFetch(() => bytes) });
/** A source that knows only `read`, as a plain implementation may. */
const plain = (bytes: Uint8Array): ByteSource => {
  const { size, name, read } = memorySource(bytes);
  return { size, name, read };
};

byteSourceContract("memorySource", (bytes) => memorySource(bytes));
byteSourceContract("blobSource", (bytes) => blobSource(new Blob([bytes.slice()])));
byteSourceContract("sliceSource", (bytes) => {
  const around = new Uint8Array(bytes.length + 20).fill(0xdd);
  around.set(bytes, 7);
  return sliceSource(memorySource(around), 7, 7 + bytes.length);
});
byteSourceContract("httpSource", http);
byteSourceContract("httpSource with a small probe", (bytes) =>
  httpSource("https://example.org/model.bin", { fetch: rangeFetch(() => bytes), probeBytes: 10 }),
);
byteSourceContract("cacheSource", (bytes) => cacheSource(memorySource(bytes)));
byteSourceContract("cacheSource with one small block", (bytes) => cacheSource(plain(bytes), { blockBytes: 1000, maxBytes: 1000 }));
byteSourceContract("cacheSource of http", async (bytes) => cacheSource(await http(bytes), { blockBytes: 4096, maxBytes: 65_536 }));
byteSourceContract("coalesceSource", (bytes) => coalesceSource(memorySource(bytes)));
byteSourceContract("coalesceSource of a plain source", (bytes) => coalesceSource(plain(bytes), { maxBytes: 5000 }));
byteSourceContract("retrySource", (bytes) => retrySource(plain(bytes)));
byteSourceContract("countSource", (bytes) => countSource(memorySource(bytes)));
byteSourceContract("progressSource", (bytes) => progressSource(plain(bytes), () => undefined));
byteSourceContract("all wrappers together", async (bytes) =>
  progressSource(cacheSource(coalesceSource(retrySource(countSource(await http(bytes))))), () => undefined),
);

byteSinkContract("memorySink", () => {
  let sink: MemorySink | undefined;
  return {
    create: () => {
      sink = memorySink();
      return sink;
    },
    visible: () => sink?.bytes,
  };
});

describe("sliceSource", () => {
  it("refuses a part that is not within the source", async () => {
    const inner = memorySource(patternBytes(10));
    await expect(async () => sliceSource(inner, 5, 11)).rejects.toMatchObject({ code: "OUT_OF_RANGE" });
  });

  it("does not reach around its own bounds", async () => {
    const part = sliceSource(memorySource(patternBytes(100)), 10, 20);
    expect(await codeOf(part.read(0, 11))).toBe("OUT_OF_RANGE");
    expect(await codeOf(part.read(-1, 5))).toBe("OUT_OF_RANGE");
  });
});

describe("blobSource", () => {
  it("takes a file's name, and gives a descriptor that holds the file", () => {
    const source = blobSource(new File(["abc"], "model.ckpt"));
    expect(source.name).toBe("model.ckpt");
    expect(source.descriptor?.()).toMatchObject({ kind: "blob", name: "model.ckpt" });
  });

  it("says SOURCE_CHANGED when the platform gives fewer bytes than were asked for", async () => {
    const blob = new Blob(["0123456789"]);
    const cut = Object.assign(new Blob(["0123456789"]), { slice: () => blob.slice(0, 3) });
    expect(await codeOf(blobSource(cut).read(0, 10))).toBe("SOURCE_CHANGED");
  });

  it("says READ_FAILED and what to do when the platform cannot read the file any more", async () => {
    const gone = Object.assign(new Blob(["0123456789"]), {
      slice: () => ({ arrayBuffer: () => Promise.reject(new DOMException("The file could not be read", "NotReadableError")) }),
    });
    await expect(blobSource(gone).read(0, 10)).rejects.toMatchObject({
      code: "READ_FAILED",
      suggestions: [expect.stringContaining("again")],
    });
  });
});

describe("wrappers", () => {
  it.each([
    ["cacheSource", cacheSource],
    ["coalesceSource", coalesceSource],
    ["retrySource", retrySource],
    ["countSource", countSource],
    ["progressSource", (inner: ByteSource) => progressSource(inner, () => undefined)],
  ] as const)("%s passes descriptor and closing on", async (_, wrap) => {
    let closed = 0;
    const inner: ByteSource = {
      ...memorySource(patternBytes(10), "inner"),
      descriptor: () => ({ kind: "test" }),
      close: async () => {
        closed++;
      },
    };
    const source = wrap(inner);
    expect(source.name).toBe("inner");
    expect(source.descriptor?.()).toEqual({ kind: "test" });
    await source.close?.();
    expect(closed).toBe(1);
  });
});
