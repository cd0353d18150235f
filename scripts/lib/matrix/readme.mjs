// What a package's README says: what to install, and the program at its head.
import { readFileSync } from "node:fs";
import { inRoot } from "../root.mjs";

const INSTALL = /^npm install (?!--global)([^\n#]+)/m;
const PROGRAM = /^```(ts|js)(?: [^\n]*)?\n(.*?)^```$/ms;
const COMMAND = /^npx (\S+) ([^\n#]+)/m;

/**
 * What the README of a package promises, as `{ packages, program, language, page, command }`. `page`: the program needs a
 * document. A package with a command has `command`, its arguments, in place of a program.
 */
export function readmeOf({ name, folder, manifest }) {
  const text = readFileSync(inRoot(folder, "README.md"), "utf8");
  const packages = INSTALL.exec(text)?.[1].trim().split(/\s+/) ?? [name];
  if (manifest.bin) return { packages: [name], command: COMMAND.exec(text)?.[2].trim().split(/\s+/) };
  const [, language, program] = PROGRAM.exec(text) ?? [];
  return { packages, language, program, page: /\bdocument\./.test(program ?? ""), node: /["']@ckptkit\/node["']/.test(program ?? "") };
}
