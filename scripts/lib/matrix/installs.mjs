// One package alone in an empty project: installed by a package manager, loaded, and used as its README says.
import { codeExports } from "../pack.mjs";
import { inProject, newProject, writePrograms } from "./consumer.mjs";
import { NODES } from "./tools.mjs";

const NODE_MANAGERS = {
  npm: { install: ({ npm }, node, packages) => [node, npm, "install", ...packages], run: (node) => [node] },
  pnpm: { install: ({ pnpm }, _, packages) => [pnpm, "add", ...packages], run: (node) => [node] },
  // With its defaults: Plug'n'Play, where nothing can be imported that a manifest does not name.
  yarn: { install: ({ yarn }, node, packages) => [node, yarn, "add", ...packages], run: (node, { yarn }) => [node, yarn, "node"] },
};
/** deno takes nothing that is younger than a day, unless it is told. */
const NEW = "--minimum-dependency-age=0";
const RUNTIMES = {
  deno: { install: ({ deno }, _, packages) => [deno, "add", "--npm", NEW, ...packages], run: (_, { deno }) => [deno, "run", NEW, "-A"] },
  bun: { install: ({ bun }, _, packages) => [bun, "add", ...packages], run: (_, { bun }) => [bun, "run"] },
};

/** The columns: every package manager on every Node, and the other runtimes with their own. `quick` leaves npm on the running Node. */
export function installColumns(tools, { quick }) {
  const major = process.versions.node.split(".")[0];
  if (quick) return [{ title: `npm ${major}`, project: `npm-${major}`, node: process.execPath, ...NODE_MANAGERS.npm }];
  const onNode = Object.entries(NODE_MANAGERS).flatMap(([manager, how]) =>
    NODES.map((major) => ({
      title: `${manager} ${major}`,
      project: `${manager}-${major}`,
      node: tools.node(major),
      absent: missing(tools, manager, major),
      ...how,
    })),
  );
  const others = Object.entries(RUNTIMES).map(([runtime, how]) => ({
    title: runtime,
    project: runtime,
    absent: tools[runtime] ? undefined : `npm has no ${runtime} for ${process.platform} ${process.arch}`,
    ...how,
  }));
  return [...onNode, ...others];
}

function missing(tools, manager, major) {
  const here = `${process.platform} ${process.arch}`;
  if (!tools.node(major)) return `npm has no Node ${major} for ${here}`;
  return tools[manager] ? undefined : `npm has no ${manager} for ${here}`;
}

/** Resolves to `{ mark, note, output }`: what the README's program printed, or what went wrong. */
export async function installCell(world, column, entry, readme) {
  if (column.absent) return { mark: "-", note: column.absent };
  const project = await newProject(world, `${column.project}-${entry.folder.replace("/", "-")}`);
  await writePrograms(
    project,
    readme,
    codeExports(entry.manifest).map((path) => entry.name + path.slice(1)),
  );
  const { tools } = world;
  const install = await inProject(world, project, column.install(tools, column.node, readme.packages), { node: column.node });
  if (install.code !== 0) return failed("install", install);
  return use(world, project, column, entry, readme);
}

async function use(world, project, { run, node }, entry, readme) {
  const start = run(node, world.tools);
  if (entry.manifest.bin) {
    if (!readme.command) return { mark: "FAIL", note: "its README shows no command" };
    const [bin] = Object.keys(entry.manifest.bin);
    const result = await inProject(world, project, commandIn(world, start, project, entry, bin, readme.command), { node });
    return result.code === 0 ? { mark: "ok", output: result.output } : failed(`${bin} ${readme.command.join(" ")}`, result);
  }
  const loaded = await inProject(world, project, [...start, "load.mjs"], { node });
  if (loaded.code !== 0) return failed("load", loaded);
  if (!readme.program) return { mark: "FAIL", note: "its README shows no program" };
  if (readme.page) return { mark: "ok", project };
  const result = await inProject(world, project, [...start, "run-readme.mjs"], { node });
  return result.code === 0 ? { mark: "ok", output: result.output, project } : failed("README", result);
}

/** The command as a user of each package manager types it. */
function commandIn({ tools }, start, project, entry, bin, args) {
  if (start.includes(tools.yarn)) return [start[0], tools.yarn, bin, ...args];
  if (start[0] === tools.deno) return [...start, `npm:${entry.name}/${bin}`, ...args];
  if (start[0] === tools.bun) return [tools.bun, "--bun", "run", bin, ...args];
  return [`${project}/node_modules/.bin/${bin}${process.platform === "win32" ? ".cmd" : ""}`, ...args];
}

const failed = (what, { output, code }) => ({ mark: "FAIL", note: `${what} ended with code ${code}`, trouble: output });
