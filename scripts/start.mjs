// `npm start`: from a fresh clone to the `ckpt` command at work on a real checkpoint.
import "./lib/node-version.mjs";
import { mkdirSync, rmSync } from "node:fs";
import { ckpt } from "./lib/ckpt.mjs";
import { inRoot } from "./lib/root.mjs";
import { tail } from "./lib/run.mjs";
import { setUp } from "./lib/setup.mjs";
import { StepFailed, say, step } from "./lib/steps.mjs";
import { turbo } from "./lib/turbo.mjs";

const CHECKPOINT = "fixtures/files/vit-tiny.ckpt";
const CONVERTED = "out/vit-tiny.safetensors";

async function build() {
  const { code, output } = await turbo(["build"]);
  if (code !== 0) throw new StepFailed(`The build failed.\n\n${tail(output, 60)}`);
}

try {
  await setUp();
  await step("build", build);
  rmSync(inRoot("out"), { recursive: true, force: true });
  mkdirSync(inRoot("out"));
  for (const args of [
    ["inspect", CHECKPOINT],
    ["scan", CHECKPOINT],
    ["hash", CHECKPOINT],
    ["convert", CHECKPOINT, CONVERTED],
    ["inspect", CONVERTED],
  ]) {
    const { line, output, code } = await ckpt(args);
    say(`\n$ ${line}\n${output.trimEnd()}`);
    if (code !== 0) throw new StepFailed(`${line} ended with code ${code}`);
  }
  say(`
That was a real PyTorch Lightning checkpoint, opened without Python and without running its pickle, checked for NaN and Inf,
hashed, and written as safetensors to ${CONVERTED}. Try your own files next, from this folder:

  npx ckpt inspect path/to/model.ckpt --tree    every value in the file, not only its tensors
  npx ckpt scan path/to/model.ckpt              NaN, Inf and what a pickle would have called
  npx ckpt --help                               all commands
  npm test                                      every test and check of this repository`);
} catch (error) {
  if (!(error instanceof StepFailed)) throw error;
  say(`\n${error.message}`);
  process.exitCode = 1;
}
