import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { type Block, blocksOf, ROOT } from "./pages.js";

/** Files of fixtures/files that examples find in the folder where they run. */
const FIXTURES: Readonly<Record<string, string>> = {
  "vit-tiny.ckpt": "vit-tiny.ckpt",
  "conv-bn.pt": "conv-bn.pt",
  "special-numbers.pt": "special-numbers.pt",
  "st-basic.safetensors": "st-basic.safetensors",
};

/** A block that runs, and what the page says that it prints. */
export interface Example {
  readonly block: Block;
  /** 1 for an example that is there to end so, marked `fails`; else 0. */
  readonly code: number;
  readonly output: string | undefined;
}

/**
 * The blocks of a page that run, in order: `run` marks them, `browser` beside it those that run in a page, and `fails` those that end with exit code 1. A block
 * marked `output` after one is what it prints.
 */
export function examplesOf(page: string): Example[] {
  const blocks = blocksOf(page);
  return blocks.flatMap((block, index) => {
    if (!block.marks.includes("run")) return [];
    const next = blocks[index + 1];
    const code = block.marks.includes("fails") ? 1 : 0;
    return [{ block, code, output: next?.marks.includes("output") ? next.code : undefined }];
  });
}

/** Name of the file that a YAML, JSON or TypeScript block is, from its first line: `# pipeline.yaml`, `// stage.ts`. */
export const fileNameOf = ({ code }: Block): string | undefined => /^(?:#|\/\/) ([\w./-]+\.(?:ya?ml|json|ts|mjs))\n/.exec(code)?.[1];

/** Puts fixtures and the files that a page shows into a folder. */
export function fillFolder(folder: string, page: string): void {
  for (const [name, fixture] of Object.entries(FIXTURES)) copyFileSync(`${ROOT}fixtures/files/${fixture}`, join(folder, name));
  for (const block of blocksOf(page)) {
    const name = fileNameOf(block);
    if (name === undefined) continue;
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), block.code);
  }
}

/** How an example ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs an example in a folder; `name` is for files that it needs on the way. */
export async function runExample({ block, output }: Example, folder: string, name: string): Promise<Ended> {
  const { language, code, marks } = block;
  if (language === "sh") return runShell(code, folder);
  if (language === "yaml") return runShell(`ckpt run ${fileNameOf(block) ?? ""}`, folder);
  if (language !== "ts") throw new Error(`Nothing is known here that runs ${JSON.stringify(language)}.`);
  const inPage = marks.includes("browser");
  const bundle = await bundleExample(code, folder, name, inPage);
  if (!inPage) return run([process.execPath, bundle], folder);
  const { runInPage } = await import("./browser-examples.js");
  return runInPage(bundle, folder, output?.trimEnd().split("\n").length ?? 0);
}

/** Bundles TypeScript with the packages' sources; gives the path of the program. */
async function bundleExample(code: string, folder: string, name: string, inPage: boolean): Promise<string> {
  const outfile = join(folder, `${name}.mjs`);
  await build({
    stdin: { contents: code, loader: "ts", resolveDir: folder, sourcefile: `${name}.ts` },
    // The last for zod, which examples of stages use.
    nodePaths: [`${ROOT}apps/docs/node_modules`, `${ROOT}node_modules`, `${ROOT}packages/stages/node_modules`],
    outfile,
    bundle: true,
    format: "esm",
    target: "es2022",
    logLevel: "silent",
    ...(inPage
      ? { platform: "browser" }
      : {
          platform: "node",
          // Some dependencies are CommonJS, which asks for Node's own modules.
          banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
        }),
  });
  // As README.md of packages/node says: the threads' script stands beside a bundle.
  if (!inPage) copyFileSync(`${ROOT}packages/node/dist/pool-worker.js`, join(folder, "pool-worker.js"));
  return outfile;
}

/** Runs shell lines in a folder where `ckpt` is the built command. */
function runShell(code: string, folder: string): Promise<Ended> {
  return run(["sh", "-eu", "-c", `ckpt() { "${process.execPath}" "${ROOT}packages/cli/bin/ckpt.js" "$@"; }\n${code}`], folder);
}

function run([command = "", ...args]: readonly string[], cwd: string): Promise<Ended> {
  const { NO_COLOR: _a, FORCE_COLOR: _b, COLUMNS: _c, NODE_OPTIONS: _d, ...env } = process.env;
  const child = spawn(command, args, { cwd, env: { ...env, COLUMNS: "120" } });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (bytes: Buffer) => stdout.push(bytes));
  child.stderr.on("data", (bytes: Buffer) => stderr.push(bytes));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }));
  });
}
