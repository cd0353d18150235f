// Compiles assembly/ to src/generated/kernels.wasm and embeds the binary as base64 in src/generated/kernels-base64.ts.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

process.chdir(dirname(fileURLToPath(import.meta.url)));
const folder = "src/generated";
const binary = join(folder, "kernels.wasm");
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
writeFileSync(
  join(folder, "kernels-base64.ts"),
  `/** The compiled kernels, ${bytes.length} bytes. Made by generate.mjs from assembly/. */\nexport const KERNELS_BASE64: string =\n  "${bytes.toString("base64")}";\n`,
);
