import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { installedStageModules } from "../src/index.js";
import { tempFolder } from "./temp-folder.js";

const { at } = tempFolder();
let count = 0;
/** A new folder for each test. */
async function newFolder(): Promise<string> {
  const folder = at(`project-${count++}`);
  await mkdir(folder);
  return folder;
}

/** Writes files, by their paths in a folder, with folders as they need. */
async function write(folder: string, files: Readonly<Record<string, string | object>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), typeof content === "string" ? content : JSON.stringify(content));
  }
}

const STAGES = { ckptkit: { stages: ["./dist/stages.js"] } };

it("finds the stages of installed packages by a field of their package.json, and of the project itself", async () => {
  const folder = await newFolder();
  await write(folder, {
    "package.json": {
      name: "project",
      dependencies: { "with-stages": "1", "@scope/more": "1", without: "1", missing: "1" },
      devDependencies: { broken: "1" },
      ckptkit: { stages: ["./own.js"] },
    },
    "own.js": "export const own = 1;",
    "node_modules/with-stages/package.json": { name: "with-stages", type: "module", exports: {}, ...STAGES },
    "node_modules/with-stages/dist/stages.js": "export class MyCheck {}",
    "node_modules/@scope/more/package.json": { name: "@scope/more", ckptkit: { stages: ["a.mjs", "./b.mjs"] } },
    "node_modules/@scope/more/a.mjs": "export const a = 1;",
    "node_modules/@scope/more/b.mjs": "export const b = 1;",
    "node_modules/without/package.json": { name: "without" },
    "node_modules/broken/package.json": "{ not json",
    "deep/er/x": "",
  });
  const modules = await installedStageModules(join(folder, "deep", "er"));
  expect(modules.map(({ name }) => name)).toEqual(["project", "@scope/more", "@scope/more", "with-stages"]);
  expect(
    await Promise.all(
      modules.map(async ({ load }) => Object.keys(await load()).filter((key) => !["default", "module.exports"].includes(key))),
    ),
  ).toEqual([["own"], ["a"], ["b"], ["MyCheck"]]);
});

it("imports nothing before a module is loaded", async () => {
  const folder = await newFolder();
  await write(folder, {
    "package.json": { dependencies: { loud: "1" } },
    "node_modules/loud/package.json": { name: "loud", type: "module", ...STAGES },
    "node_modules/loud/dist/stages.js": "throw new Error('it was imported');",
  });
  const [loud] = await installedStageModules(folder);
  await expect(loud?.load()).rejects.toThrow("it was imported");
});

it("finds packages that are installed in a folder above, as workspaces have them", async () => {
  const folder = await newFolder();
  await write(folder, {
    "node_modules/above/package.json": { name: "above", ...STAGES },
    "packages/mine/package.json": { dependencies: { above: "1" } },
  });
  expect((await installedStageModules(join(folder, "packages", "mine"))).map(({ name }) => name)).toEqual(["above"]);
});

it("finds none where there is no project", async () => {
  expect(await installedStageModules(await newFolder())).toEqual([]);
});

it.each([
  [{ stages: ["./nowhere.js"] }, "there is no file ./nowhere.js"],
  [{ stages: ["../../secret.js"] }, "../../secret.js is outside the package"],
  [{ stages: [5] }, "a list of files was expected"],
  [{ stage: ["./a.js"] }, "a list of files was expected"],
  ["./a.js", "a list of files was expected"],
])("says what is wrong with the field %j when the module is loaded", async (ckptkit, message) => {
  const folder = await newFolder();
  await write(folder, {
    "package.json": { dependencies: { bad: "1" } },
    "secret.js": "",
    "node_modules/bad/package.json": { name: "bad", ckptkit },
  });
  const [bad] = await installedStageModules(folder);
  await expect(bad?.load()).rejects.toMatchObject({ code: "INVALID_ARGUMENT", message: expect.stringContaining(message) });
});
