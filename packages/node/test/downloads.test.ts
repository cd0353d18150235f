import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DownloadOptions, httpFile, type Progress, parseChecksum } from "@ckptkit/core";
import { byteSourceContract, codeOf, expectSameBytes, patternBytes } from "@ckptkit/testkit";
import { type FileServer, fileServer, servedBytes } from "@ckptkit/testkit/node";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { folderDownloads } from "../src/index.js";
import { loadNodeKernels } from "../src/load-kernels.js";

const bytes = patternBytes(1_000_000);
const sha256 = createHash("sha256").update(bytes).digest("hex");
/** Tries follow each other at once, so that tests need not wait. */
const retry = { baseDelayMs: 0 };
let server: FileServer;
let folder: string;

beforeAll(async () => {
  server = await fileServer();
});
afterAll(() => server.close());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ckptkit-downloads-"));
  Object.assign(server, { requests: [], bytesSent: 0, intercept: undefined, cutAfter: undefined });
  server.files.set("/model.bin", servedBytes(bytes));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (options: DownloadOptions = {}, path = "/model.bin") =>
  folderDownloads({ folder }, loadNodeKernels).open(httpFile(server.url + path), { retry, ...options });

/** Opens, reads everything, closes. */
async function readAll(options: DownloadOptions = {}): Promise<Uint8Array> {
  const source = await open(options);
  const all = await source.read(0, source.size);
  await source.close?.();
  return all;
}

/** Every file below the folder, without the random part of a copy's name. */
const filesLeft = (): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name.replace(/^[0-9a-f]{12}\.data$/, "DATA"))
    .sort();

const WHOLE = ["DATA", "copy.json"];

byteSourceContract("the copy of a download", async (content) => {
  server.files.set("/contract.bin", servedBytes(content, { etag: `"${createHash("md5").update(content).digest("hex")}"` }));
  return open({ folder: mkdtempSync(join(folder, "contract-")) }, "/contract.bin");
});

describe("downloads: the copy", () => {
  it("holds the file, is called as the file, and leaves nothing else behind", async () => {
    const source = await open();
    expectSameBytes(await source.read(0, source.size), bytes);
    expect(source.name).toBe(`${server.url}/model.bin`);
    expect(source.version).toEqual({ etag: '"v1"' });
    await source.close?.();
    expect(filesLeft()).toEqual(WHOLE);
  });

  it("is used again after the server has said that nothing changed", async () => {
    await readAll();
    expectSameBytes(await readAll(), bytes);
    expect(server.requests.map(({ headers }) => headers["if-none-match"])).toEqual([undefined, '"v1"']);
    expect(server.bytesSent).toBe(bytes.length);
  });

  it("is used again when a server sends the same version in spite of the condition, whose body is not fetched", async () => {
    await readAll();
    const large = servedBytes(patternBytes(64_000_000));
    server.files.set("/model.bin", { ...large, lastModified: undefined });
    server.intercept = (request) => {
      delete request.headers["if-none-match"];
      return false;
    };
    expectSameBytes(await readAll(), bytes);
    expect(server.bytesSent).toBeLessThan(64_000_000);
  });

  it("is replaced when the server has another version", async () => {
    await readAll();
    const other = patternBytes(500_000).reverse();
    server.files.set("/model.bin", servedBytes(other, { etag: '"v2"' }));
    expectSameBytes(await readAll(), other);
    expect(filesLeft()).toEqual(WHOLE);
  });

  it("is fetched again when somebody has changed it here", async () => {
    await readAll();
    const file =
      readdirSync(folder, { recursive: true })
        .map(String)
        .find((name) => name.endsWith(".data")) ?? "";
    writeFileSync(join(folder, file), "something else");
    expectSameBytes(await readAll(), bytes);
  });

  it("is fetched again each time when the server names no version", async () => {
    server.files.set("/model.bin", servedBytes(bytes, { etag: null }));
    await readAll();
    expectSameBytes(await readAll(), bytes);
    expect(server.bytesSent).toBe(2 * bytes.length);
    expect(filesLeft()).toEqual(WHOLE);
  });

  it("of a server without ranges or lengths is whole, too", async () => {
    server.files.set("/model.bin", servedBytes(bytes, { etag: null, ranges: false, announcesLength: false }));
    expectSameBytes(await readAll(), bytes);
  });

  it("of an empty file is empty", async () => {
    server.files.set("/model.bin", servedBytes(new Uint8Array(0)));
    expect(await readAll()).toHaveLength(0);
  });

  it("keeps no trace of the address's credentials", async () => {
    const secret = "s3cr3t-t0ken";
    const source = await folderDownloads({ folder }, loadNodeKernels).open(
      httpFile(`${server.url.replace("http://", `http://user:${secret}@`)}/model.bin?X-Amz-Signature=${secret}`),
    );
    await source.close?.();
    const everything = readdirSync(folder, { recursive: true }).map(String);
    for (const name of everything) {
      expect(name).not.toContain(secret);
      if (name.endsWith(".json")) expect(readFileSync(join(folder, name), "utf8")).not.toContain(secret);
    }
    // Signed anew, it is the same file.
    await (await folderDownloads({ folder }, loadNodeKernels).open(httpFile(`${server.url}/model.bin?X-Amz-Signature=other`))).close?.();
    expect(server.bytesSent).toBe(bytes.length);
  });
});

describe("downloads: checksums", () => {
  it.each([
    ["sha256", sha256],
    ["md5", createHash("md5").update(bytes).digest("hex")],
    ["xxh3", undefined],
    ["blake3", undefined],
  ])("are verified while the bytes come: %s", async (algorithm, hex) => {
    const kernels = await loadNodeKernels();
    const hasher = kernels.hasher(algorithm as "xxh3"); // one of the four above
    hasher.update(bytes);
    const right = hex ?? hasher.hexDigest();
    expectSameBytes(await readAll({ checksum: parseChecksum(`${algorithm}:${right}`) }), bytes);
    const wrong = right.replace(/.$/, (digit) => (digit === "0" ? "1" : "0"));
    rmSync(folder, { recursive: true });
    expect(await codeOf(open({ checksum: parseChecksum(`${algorithm}:${wrong}`) }))).toBe("CHECKSUM_MISMATCH");
    expect(filesLeft()).toEqual([]);
  });

  it("that were verified make asking the server needless", async () => {
    const checksum = parseChecksum(sha256);
    await readAll({ checksum });
    await server.close();
    try {
      expectSameBytes(await readAll({ checksum }), bytes);
    } finally {
      server = await fileServer();
    }
  });

  it("are verified of a copy that was made without one", async () => {
    await readAll();
    expect(await codeOf(open({ checksum: parseChecksum("0".repeat(64)) }))).toBe("CHECKSUM_MISMATCH");
    expectSameBytes(await readAll({ checksum: parseChecksum(sha256) }), bytes);
    expect(server.bytesSent).toBe(bytes.length);
  });

  it("are verified over both parts of a download that was cut", async () => {
    server.cutAfter = 400_000;
    expectSameBytes(await readAll({ checksum: parseChecksum(sha256) }), bytes);
    expect(server.requests.length).toBeGreaterThan(1);
  });
});

describe("downloads: interruptions", () => {
  it("go on where the connection broke, as often as it takes, and fetch nothing twice", async () => {
    server.cutAfter = 150_000;
    expectSameBytes(await readAll(), bytes);
    // Seven connections break, more than the three tries that are allowed without progress.
    expect(server.requests).toHaveLength(7);
    expect(server.bytesSent).toBe(bytes.length);
    expect(server.requests[1]?.headers).toMatchObject({ range: "bytes=150000-", "if-range": '"v1"' });
  });

  it("give up when tries bring nothing, and go on with the next call", async () => {
    server.cutAfter = 600_000;
    let requests = 0;
    server.intercept = (_, response) => {
      if (requests++ === 0) return false;
      response.writeHead(503).end();
      return true;
    };
    expect(await codeOf(open())).toBe("HTTP_STATUS");
    Object.assign(server, { intercept: undefined, cutAfter: undefined, bytesSent: 0 });
    expectSameBytes(await readAll(), bytes);
    expect(server.bytesSent).toBe(400_000);
    expect(filesLeft()).toEqual(WHOLE);
  });

  it("begin anew when the file has changed in between, and never mix two versions", async () => {
    const other = patternBytes(900_000).reverse();
    let requests = 0;
    server.cutAfter = 600_000;
    server.intercept = () => {
      if (requests++ === 1) {
        server.files.set("/model.bin", servedBytes(other, { etag: '"v2"' }));
        server.cutAfter = undefined;
      }
      return false;
    };
    expectSameBytes(await readAll(), other);
  });

  it("notice a server that goes on with another version in spite of the condition", async () => {
    const other = patternBytes(1_000_000).reverse();
    let requests = 0;
    server.cutAfter = 600_000;
    server.intercept = (request) => {
      if (requests++ >= 1) {
        server.files.set("/model.bin", servedBytes(other, { etag: '"v2"' }));
        delete request.headers["if-range"];
      }
      return false;
    };
    expect(await codeOf(open())).toBe("READ_FAILED");
  });

  it("begin anew on a server without ranges", async () => {
    server.files.set("/model.bin", servedBytes(bytes, { ranges: false }));
    let requests = 0;
    server.cutAfter = 600_000;
    server.intercept = () => {
      if (requests++ === 1) server.cutAfter = undefined;
      return false;
    };
    expectSameBytes(await readAll(), bytes);
    expect(server.bytesSent).toBe(1_600_000);
  });

  it("that are aborted keep what has come, and nobody else's lock", async () => {
    const controller = new AbortController();
    server.cutAfter = 600_000;
    const opening = open({ signal: controller.signal, onProgress: ({ done }) => done >= 500_000 && controller.abort(new Error("enough")) });
    await expect(opening).rejects.toThrow("enough");
    expect(filesLeft()).toEqual(["journal.json", "partial"]);
    Object.assign(server, { cutAfter: undefined, bytesSent: 0 });
    expectSameBytes(await readAll(), bytes);
    expect(server.bytesSent).toBeLessThanOrEqual(500_000);
    expect(filesLeft()).toEqual(WHOLE);
  });

  it("leave nothing behind when the file is not there", async () => {
    expect(await codeOf(open({}, "/absent.bin"))).toBe("NOT_FOUND");
    expect(filesLeft()).toEqual([]);
  });

  it("refuse a file that cannot fit before anything of it is written", async () => {
    const huge = 2 ** 52;
    server.intercept = (_, response) => {
      response.writeHead(200, { "content-length": huge, etag: '"v1"' });
      response.write("x");
      return true;
    };
    const error = await open().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "NO_SPACE", details: { needed: huge } });
    expect(filesLeft()).toEqual([]);
  });

  it("report progress up to the whole", async () => {
    const seen: Progress[] = [];
    await readAll({ onProgress: (progress) => seen.push(progress) });
    expect(seen.at(-1)).toEqual({ phase: "download", done: bytes.length, total: bytes.length });
    expect(seen.every(({ done }, index) => done >= (seen[index - 1]?.done ?? 0))).toBe(true);
  });
});

describe("downloads: side by side", () => {
  it("fetch one file once, however many want it", async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => readAll()));
    for (const one of all) expectSameBytes(one, bytes);
    expect(server.bytesSent).toBe(bytes.length);
    expect(filesLeft()).toEqual(WHOLE);
  });

  it("take over the lock of a process that is no more", async () => {
    await readAll();
    const place = readdirSync(folder)[0] ?? "";
    const { hostname } = await import("node:os");
    // The largest number that a process can have on Linux is 2^22: nobody has this one.
    writeFileSync(join(folder, place, "lock"), JSON.stringify({ pid: 2 ** 30, host: hostname(), token: "dead" }));
    expectSameBytes(await readAll(), bytes);
    expect(existsSync(join(folder, place, "lock"))).toBe(false);
  });

  it("wait for a lock that is held, until they are aborted", async () => {
    await readAll();
    const place = readdirSync(folder)[0] ?? "";
    writeFileSync(
      join(folder, place, "lock"),
      JSON.stringify({ pid: process.pid, host: (await import("node:os")).hostname(), token: "mine" }),
    );
    await expect(open({ signal: AbortSignal.timeout(150) })).rejects.toMatchObject({ name: "TimeoutError" });
    setTimeout(() => rmSync(join(folder, place, "lock")), 100);
    expectSameBytes(await readAll(), bytes);
  });

  it("go on reading a copy that another version replaces meanwhile", async () => {
    const source = await open();
    server.files.set("/model.bin", servedBytes(patternBytes(10), { etag: '"v2"' }));
    await readAll();
    expectSameBytes(await source.read(0, bytes.length), bytes);
    await source.close?.();
  });
});

describe("downloads: room", () => {
  it("is kept by removing the copies that were not used for longest", async () => {
    const downloads = folderDownloads({ folder, maxBytes: 2_500_000 }, loadNodeKernels);
    const fetchOne = async (name: string): Promise<void> => {
      server.files.set(name, servedBytes(bytes));
      await (await downloads.open(httpFile(server.url + name))).close?.();
    };
    for (const name of ["/a", "/b", "/a", "/c"]) {
      await fetchOne(name);
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
    server.bytesSent = 0;
    await fetchOne("/a");
    await fetchOne("/c");
    expect(server.bytesSent).toBe(0);
    await fetchOne("/b");
    expect(server.bytesSent).toBe(bytes.length);
  });
});
