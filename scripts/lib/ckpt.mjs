// The built `ckpt` command, as a user of this checkout runs it.
import { inRoot } from "./root.mjs";
import { environment, run } from "./run.mjs";

/** Runs `ckpt ARGS...` in the root; resolves to `{ line, code, output }`, where `line` is what a person would type for it. */
export async function ckpt(args, env = {}) {
  const bin = inRoot("node_modules", ".bin", process.platform === "win32" ? "ckpt.CMD" : "ckpt");
  const { code, output } = await run([bin, ...args], { shell: process.platform === "win32", env: environment(env), limitMs: 120_000 });
  return { line: `npx ckpt ${args.map(quoted).join(" ")}`, code, output };
}

const quoted = (arg) => (/[*?\s]/.test(arg) ? `'${arg}'` : arg);
