import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FuzzCase } from "./fuzz-case.js";
import { inRepository } from "./repository.js";

/** What `case.json` in the folder of a regression says. */
interface CaseFile {
  /** Names of the files that stand in the folder as `0.bin`, `1.bin` ...; the first is opened. */
  readonly files: readonly string[];
  readonly truthOf?: string;
  /** What was wrong. */
  readonly found: string;
}

const folderOf = (target: string): string => inRepository(`fuzz/regressions/${target}`);

/** The inputs that once broke a target, by name. */
export function regressionsOf(target: string): readonly (readonly [name: string, input: FuzzCase])[] {
  const folder = folderOf(target);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => {
      // keepRegression wrote it, or a person in its shape.
      const about = JSON.parse(readFileSync(join(folder, name, "case.json"), "utf8")) as CaseFile;
      const files = about.files.map((file, index) => [file, new Uint8Array(readFileSync(join(folder, name, `${index}.bin`)))] as const);
      return [name, { main: about.files[0] ?? "", files: new Map(files), truthOf: about.truthOf }] as const;
    });
}

/** Keeps an input that broke a target. Returns the folder. */
export function keepRegression(target: string, name: string, input: FuzzCase, found: string): string {
  const folder = join(folderOf(target), name);
  mkdirSync(folder, { recursive: true });
  const names = [input.main, ...[...input.files.keys()].filter((file) => file !== input.main)];
  const about: CaseFile = { files: names, ...(input.truthOf === undefined ? {} : { truthOf: input.truthOf }), found };
  writeFileSync(join(folder, "case.json"), `${JSON.stringify(about, null, 2)}\n`);
  for (const [index, file] of names.entries()) writeFileSync(join(folder, `${index}.bin`), input.files.get(file) ?? new Uint8Array(0));
  return folder;
}
