import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CHROMIUM } from "../src/browser-examples.js";
import { runExample } from "../src/examples.js";
import { type Block, blocksOf, ROOT } from "../src/pages.js";

const FOLDERS = ["wasm", ...readdirSync(`${ROOT}packages`).map((name) => `packages/${name}`)].filter(
  (folder) => JSON.parse(readFileSync(`${ROOT}${folder}/package.json`, "utf8")).private !== true,
);
/** The names that READMEs give to a user's checkpoint, and the real one that they get here. */
const NAMES = ["model.ckpt", "last.ckpt", "vit-tiny.ckpt"];
const CHECKPOINT = `${ROOT}fixtures/files/vit-tiny.ckpt`;

/** A user's drop of a file on a page, and what the page then says; it waits for the file that the runner of pages picks. */
const DROP = `
while (!document.querySelector("input")?.files?.length) await new Promise((resolve) => setTimeout(resolve, 20));
const transfer = new DataTransfer();
transfer.items.add(new File([await (await fetch("/vit-tiny.ckpt")).arrayBuffer()], "vit-tiny.ckpt"));
document.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
while (!/tensors/.test(document.body.textContent ?? "")) await new Promise((resolve) => setTimeout(resolve, 20));
console.log(document.body.textContent);
`;

describe("the program at the head of each package's README", () => {
  const folder = mkdtempSync(join(tmpdir(), "ckpt-readmes-"));
  const bytes = readFileSync(CHECKPOINT);
  let server: Server;
  let elsewhere = "";

  beforeAll(async () => {
    for (const name of NAMES) copyFileSync(CHECKPOINT, join(folder, name));
    // Addresses in READMEs are nobody's: this answers for all of them.
    server = createServer(({ headers, method }, response) => {
      const [, from = "0", to = ""] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? "") ?? [];
      const body = bytes.subarray(Number(from), to === "" ? undefined : Number(to) + 1);
      const range = { "content-range": `bytes ${from}-${Number(from) + body.length - 1}/${bytes.length}` };
      response.writeHead(headers.range ? 206 : 200, {
        etag: '"1"',
        "accept-ranges": "bytes",
        "content-length": body.length,
        ...(headers.range && range),
      });
      response.end(method === "HEAD" ? "" : body);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    elsewhere = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`; // it listens on a port, not on a pipe
  });
  afterAll(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const inNode = (code: string): string => `const real = globalThis.fetch;
globalThis.fetch = (input, init) => {
  const local = new URL(new URL(input instanceof Request ? input.url : input).pathname, ${JSON.stringify(elsewhere)});
  return real(input instanceof Request ? new Request(local, input) : local, init);
};
${code}`;

  it.for(FOLDERS)("of %s runs", async (name, context) => {
    const readme = readFileSync(`${ROOT}${name}/README.md`, "utf8");
    const block = headOf(readme);
    const inPage = block.code.includes("document.");
    if (inPage && !existsSync(CHROMIUM)) return context.skip("no Chromium");
    const code = block.language === "sh" ? block.code : inPage ? `${block.code}${DROP}` : inNode(block.code);
    const language = block.language === "js" ? "ts" : block.language;
    const example = {
      block: { ...block, language, code, marks: inPage ? ["browser"] : [] },
      code: 0,
      output: inPage ? "one line" : undefined,
    };
    const ended = await runExample(example, folder, name.replaceAll("/", "-"));
    expect(ended.stderr).toBe("");
    expect(ended.code).toBe(0);
    expect(ended.stdout.trim()).not.toBe("");
    if (inPage) expect(ended.stdout.trim()).toBe("torch-zip: 181 tensors, 0 NaN");
  });
});

/** The first program; of a command, the line that needs no installation. */
function headOf(readme: string): Block {
  const blocks = blocksOf(readme);
  const program = blocks.find(({ language }) => language === "ts" || language === "js");
  if (program) return program;
  const [, args] = /^npx ckptkit ([^\n#]+)/m.exec(readme) ?? [];
  if (args === undefined) throw new Error("The README shows no program and no command.");
  return { language: "sh", marks: [], code: `ckpt ${args.trim()}`, line: 1 };
}
