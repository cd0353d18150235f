// Compiles assembly/ to src/generated/kernels.wasm and embeds the binary in src/generated/kernels-deflated.ts: packed with DEFLATE,
// then as base64. base64 alone hides the repetitions of the binary from the compression of a web server.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";
import asc from "assemblyscript/asc";

process.chdir(dirname(fileURLToPath(import.meta.url)));
const folder = "src/generated";
const binary = join(folder, "kernels.wasm");
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

const { error, stderr } = await asc.main([
  "assembly/index.ts",
  "--outFile",
  binary,
  // No allocator and no garbage collector: all memory is the caller's.
  "--runtime",
  "stub",
  "--importMemory",
  "--initialMemory",
  "1",
  "--noAssert",
  "-O3",
  "--converge",
  "--enable",
  "simd",
  "--enable",
  "bulk-memory",
  "--enable",
  "nontrapping-f2i",
]);
// A warning fails as well: it is a conversion that was not meant.
if (error || stderr.toString().includes("WARNING")) {
  process.stderr.write(`${stderr.toString()}${error?.message ?? ""}\n`);
  process.exit(1);
}
const bytes = readFileSync(binary);
const packed = deflateRawSync(bytes, { level: 9, memLevel: 9 }).toString("base64");
writeFileSync(
  join(folder, "kernels-deflated.ts"),
  `/** The compiled kernels, ${bytes.length} bytes, packed with raw DEFLATE. Made by generate.mjs from assembly/. */\nexport const KERNELS_DEFLATED: string =\n  "${packed}";\n`,
);
