import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { seededRandom } from "@ckptkit/testkit";
import { fileServer, type ServedFile, servedBytes } from "@ckptkit/testkit/node";
import { build } from "esbuild";
import { expect, it } from "vitest";
import { JOURNAL_BYTES } from "../src/downloads/transfer.js";
import { tempFolder } from "./temp-folder.js";

const GIGABYTE = 1_000_000_000;
const KILLS = 10;
const MIB = 1024 * 1024;
/** What is on its way when a process is killed: buffers of sockets and streams, which nobody counts exactly. */
const IN_FLIGHT_BYTES = 12 * MIB;
const { folder, at } = tempFolder();

/** A file of any size without the memory: a mebibyte of random bytes over and over, each time with its number in front. */
function generatedFile(size: number): ServedFile {
  const random = seededRandom(7);
  const block = Uint8Array.from({ length: MIB }, () => random.integer(256));
  function* pieces(start: number, end: number): Iterable<Uint8Array> {
    for (let from = start; from < end; ) {
      const index = Math.floor(from / MIB);
      const offset = from % MIB;
      const number = new Uint8Array(new Uint32Array([index, index * 2654435761]).buffer);
      const source = offset < number.length ? number : block;
      const piece = source.subarray(offset, Math.min(source.length, offset + end - from));
      yield piece;
      from += piece.length;
    }
  }
  return { ...servedBytes(new Uint8Array(0), { etag: '"generated"' }), size, pieces };
}

const sha256Of = async (bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string> => {
  const hash = createHash("sha256");
  for await (const piece of bytes) hash.update(piece);
  return hash.digest("hex");
};

const ended = (child: ChildProcess): Promise<number | null> => new Promise((resolve) => child.once("exit", resolve));

it.skipIf(process.platform === "win32")(
  "a gigabyte whose download is killed ten times at random points arrives whole, and no byte comes twice beyond one chunk a kill",
  async () => {
    const file = generatedFile(GIGABYTE);
    const sha256 = await sha256Of(file.pieces(0, GIGABYTE));
    const program = at("download-program.mjs");
    await build({
      entryPoints: [fileURLToPath(new URL("./download-program.ts", import.meta.url))],
      outfile: program,
      bundle: true,
      format: "esm",
      platform: "node",
      external: ["@aws-sdk/*"],
    });
    const server = await fileServer();
    server.files.set("/model.bin", file);
    const copies = join(folder, "copies");
    const start = (): ChildProcess =>
      spawn(process.execPath, [program, `${server.url}/model.bin`, copies, sha256], { stdio: ["ignore", "pipe", "inherit"] });
    const seed = Date.now() % 100_000;
    const random = seededRandom(seed);
    const about = `seed ${seed}`;
    let requests = 0;
    /** The next request must begin no further than a chunk before what a killed process had written. */
    const checkRequest = async (written: number): Promise<void> => {
      await expect.poll(() => server.requests.length, { timeout: 20_000, interval: 2 }).toBe(++requests);
      const from = Number(/bytes=(\d+)-/.exec(server.requests.at(-1)?.headers.range ?? "")?.[1]);
      expect(from, about).toBeLessThanOrEqual(written);
      expect(written - from, about).toBeLessThanOrEqual(JOURNAL_BYTES + MIB);
    };
    try {
      let written = 0;
      for (let kill = 0; kill < KILLS; kill++) {
        const { bytesSent } = server;
        const child = start();
        await checkRequest(written);
        const target = random.integer(90 * MIB);
        await expect.poll(() => server.bytesSent - bytesSent, { timeout: 20_000, interval: 2 }).toBeGreaterThan(target);
        const exit = ended(child);
        child.kill("SIGKILL");
        await exit;
        written = sizeOfPartial(copies);
      }
      const last = start();
      const output: Buffer[] = [];
      last.stdout?.on("data", (data: Buffer) => output.push(data));
      const exit = ended(last);
      await checkRequest(written);
      expect(await exit, about).toBe(0);
      const { path } = JSON.parse(String(Buffer.concat(output))) as { path: string }; // the descriptor of a file
      expect(await sha256Of(createReadStream(path, { highWaterMark: MIB })), about).toBe(sha256);
      expect(server.bytesSent - GIGABYTE, about).toBeLessThanOrEqual(KILLS * (JOURNAL_BYTES + IN_FLIGHT_BYTES));
      const left = readdirSync(copies, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
      expect(left.map(({ name }) => name.replace(/^[0-9a-f]{12}\.data$/, "DATA")).sort()).toEqual(["DATA", "copy.json"]);
    } finally {
      await server.close();
    }
  },
);

/** Bytes of the file that the killed process was writing. */
function sizeOfPartial(copies: string): number {
  const name = readdirSync(copies, { recursive: true })
    .map(String)
    .find((path) => path.endsWith("partial"));
  return name === undefined ? 0 : statSync(join(copies, name)).size;
}
