// `pnpm matrix`: publishes all packages into a real registry on this machine, and uses each as a stranger would, with every package
// manager, Node, runtime, bundler and TypeScript. Prints one table. It needs `pnpm build` before, and takes some minutes.
//
// --quick: npm on this Node alone, no bundlers and no type checks (a check of `npm test`). --only=NAME,...: these packages. --keep: leaves the projects for a look.
import "./lib/node-version.mjs";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { bundleCell, bundleColumns } from "./lib/matrix/bundling.mjs";
import { newWorld } from "./lib/matrix/consumer.mjs";
import { installCell, installColumns } from "./lib/matrix/installs.mjs";
import { serveEverywhere } from "./lib/matrix/internet.mjs";
import { publishAll } from "./lib/matrix/publish.mjs";
import { readmeOf } from "./lib/matrix/readme.mjs";
import { startRegistry } from "./lib/matrix/registry.mjs";
import { matrixTable, verdict } from "./lib/matrix/table.mjs";
import { getTools } from "./lib/matrix/tools.mjs";
import { typeRows } from "./lib/matrix/types.mjs";
import { publishable } from "./lib/packages.mjs";
import { inRoot } from "./lib/root.mjs";
import { newLog, usePnpm } from "./lib/setup.mjs";
import { StepFailed, say, step } from "./lib/steps.mjs";

const { values: options } = parseArgs({
  options: { quick: { type: "boolean" }, only: { type: "string" }, keep: { type: "boolean" } },
});
const only = options.only?.split(",");
const folder = mkdtempSync(join(tmpdir(), "ckptkit-matrix-"));
const closing = [() => options.keep || rmSync(folder, { recursive: true, force: true })];

/** Runs tasks side by side, as many as there are cores; keeps their order. */
async function sideBySide(tasks) {
  const results = [];
  let next = 0;
  const lane = async () => {
    for (let index = next++; index < tasks.length; index = next++) results[index] = await tasks[index]();
  };
  await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, lane));
  return results;
}

async function matrix() {
  if (!options.quick) newLog();
  await usePnpm();
  const tools = await step("tools", () => getTools(options));
  const registry = await step("local registry (verdaccio)", () => startRegistry(tools));
  closing.unshift(registry.close);
  const internet = await serveEverywhere(readFileSync(inRoot("fixtures/files/vit-tiny.ckpt")));
  closing.unshift(internet.close);
  const world = newWorld({ folder, registry: registry.url, internet: internet.url, tools });

  await step("publish (changeset version, publish)", async () => {
    const scratch = join(folder, "release");
    mkdirSync(scratch);
    return `version ${await publishAll(scratch, { ...world.env, PATH: process.env.PATH })}`;
  });

  const entries = publishable().filter(({ name }) => !only || only.includes(name));
  const rows = entries.map((entry) => ({ entry, readme: readmeOf(entry), cells: [] }));
  const installing = installColumns(tools, options);
  for (const column of installing) {
    await step(column.title, async () => {
      const cells = await sideBySide(
        rows.map(
          ({ entry, readme }) =>
            () =>
              installCell(world, column, entry, readme),
        ),
      );
      for (const [index, cell] of cells.entries()) rows[index].cells.push(cell);
      return column.absent
        ? { mark: "absent", note: column.absent }
        : { mark: cells.some(({ mark }) => mark === "FAIL") ? "FAILED" : "ok" };
    });
  }
  const bundling = options.quick ? [] : bundleColumns();
  await step("bundlers", async () => {
    if (options.quick) return { mark: "-", note: "left out" };
    const cells = await sideBySide(
      rows.map((row) => async () => {
        const done = [];
        for (const column of bundling) done.push(await bundleCell(world, column, row));
        return done;
      }),
    );
    for (const [index, done] of cells.entries()) rows[index].cells.push(...done);
    return { mark: cells.flat().some(({ mark }) => mark === "FAIL") ? "FAILED" : "ok" };
  });
  const types = only || options.quick ? [] : await step("types", () => typeRows(world, rows, sideBySide));
  const columns = [...installing, ...bundling];
  say(matrixTable(columns, rows, types));
  return verdict(columns, rows, types);
}

try {
  const { green, failed, absent } = await matrix();
  say(`\n${green} passed, ${failed} failed${absent > 0 ? `, ${absent} skipped` : ""}`);
  if (options.keep) say(`The projects are in ${folder}`);
  process.exitCode = failed > 0 || green === 0 ? 1 : 0;
} catch (error) {
  say(`\n${error instanceof StepFailed ? error.message : error.stack}`);
  process.exitCode = 1;
} finally {
  for (const close of closing) close();
}
