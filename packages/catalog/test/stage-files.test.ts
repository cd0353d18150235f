import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Catalog, OWN_MODULES } from "../src/index.js";

const STAGES = new URL("../../stages/src/", import.meta.url);
const FOLDERS = ["sources", "checks", "loading", "modifiers", "sinks"];

const filesOf = (folder: string): string[] =>
  readdirSync(new URL(`${folder}/`, STAGES), { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => entry.name);

describe("adding a file to packages/stages is enough", () => {
  it.each(FOLDERS)("every file in %s is exported, by what generate.mjs makes", (folder) => {
    const generated = readFileSync(new URL(`generated/${folder}.ts`, STAGES), "utf8");
    const exported = [...generated.matchAll(/from "\.\.\/(.+)\.js"/g)].map(([, path]) => `${path}.ts`);
    expect(exported.sort()).toEqual(
      filesOf(folder)
        .map((file) => `${folder}/${file}`)
        .sort(),
    );
  });

  it.each(FOLDERS)("every class of a stage in %s is in the catalog", async (folder) => {
    const catalog = await Catalog.load();
    const classes = filesOf(folder).flatMap((file) => {
      const text = readFileSync(new URL(`${folder}/${file}`, STAGES), "utf8");
      return [...text.matchAll(/^export class (\w+) extends/gm)].map(([, name]) => name);
    });
    const listed = catalog.list().filter(({ module }) => module === `@ckptkit/stages/${folder}`);
    expect(listed.map(({ className }) => className).sort()).toEqual(classes.sort());
    expect(classes.length).toBeGreaterThan(0);
  });

  it("and each folder is a module of the catalog", () => {
    expect(OWN_MODULES.map(({ name }) => name.split("/").at(-1))).toEqual(FOLDERS);
  });
});
