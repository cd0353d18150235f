// Writes src/generated/<folder>.ts, which exports every file of a stage folder: a new stage file is found by being there.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";

const FOLDERS = ["sources", "checks", "loading", "modifiers", "sinks"];

rmSync("src/generated", { recursive: true, force: true });
mkdirSync("src/generated", { recursive: true });
for (const folder of FOLDERS) {
  mkdirSync(`src/${folder}`, { recursive: true }); // git keeps no empty folders
  const files = readdirSync(`src/${folder}`, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => entry.name.replace(/\.ts$/, ""))
    .sort();
  const lines = files.map((file) => `export * from "../${folder}/${file}.js";`);
  writeFileSync(`src/generated/${folder}.ts`, `// Made by generate.mjs.\n${lines.join("\n") || "export {};"}\n`);
}
