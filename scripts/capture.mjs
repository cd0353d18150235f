// Makes the terminal capture in README.md from what the built command prints, so that it is never made up.
import "./lib/node-version.mjs";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { ckpt } from "./lib/ckpt.mjs";
import { inRoot } from "./lib/root.mjs";
import { say } from "./lib/steps.mjs";

const BEGIN = "<!-- capture: made by `pnpm capture` -->";
const END = "<!-- /capture -->";
const COMMANDS = [
  ["inspect", "fixtures/files/vit-tiny.ckpt", "--filter", "state_dict.*.head.*"],
  ["scan", "fixtures/files/vit-tiny.ckpt", "--filter", "state_dict.*.norm1.*"],
  ["convert", "fixtures/files/vit-tiny.ckpt", "out/vit-tiny.safetensors"],
];

rmSync(inRoot("out"), { recursive: true, force: true });
mkdirSync(inRoot("out"));
const parts = [];
for (const args of COMMANDS) {
  const { line, output, code } = await ckpt(args, { NO_COLOR: "1", COLUMNS: "110" });
  if (code !== 0) throw new Error(`${line} ended with code ${code}:\n${output}`);
  parts.push(`$ ${line}\n${output.trimEnd()}`);
}
const readme = readFileSync(inRoot("README.md"), "utf8");
const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)];
if (begin < 0 || end < begin) throw new Error(`README.md has no "${BEGIN}" ... "${END}" to put the capture between`);
const capture = `${BEGIN}\n\`\`\`console\n${parts.join("\n\n")}\n\`\`\`\n`;
writeFileSync(inRoot("README.md"), readme.slice(0, begin) + capture + readme.slice(end));
say(capture);
