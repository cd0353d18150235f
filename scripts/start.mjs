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
    ["inspect", CHECKPOINT, "--filter", "state_dict.*.head.*"],
    ["scan", CHECKPOINT, "--filter", "state_dict.*norm*"],
    ["hash", CHECKPOINT],
    ["convert", CHECKPOINT, CONVERTED],
    ["inspect", CONVERTED, "--filter", "*.head.*"],
  ]) {
    const { line, output, code } = await ckpt(args);
    say(`\n$ ${line}\n${output.trimEnd()}`);
    if (code !== 0) throw new StepFailed(`${line} ended with code ${code}`);
  }
  say(`
That was a real PyTorch Lightning checkpoint: opened without Python and without running its pickle, searched for NaN and Inf,
hashed, and its weights written to ${CONVERTED}. Filters kept the tables short. Next, from this folder:

  npx ckpt inspect ${CHECKPOINT} --tree   everything in the file, not only its tensors
  npx ckpt inspect your-own.ckpt                      or .pt .pth .bin .safetensors, or an http address
  npx ckpt --help                                     all commands
  npm test                                            every test and check of this repository`);
} catch (error) {
  if (!(error instanceof StepFailed)) throw error;
  say(`\n${error.message}`);
  process.exitCode = 1;
}
