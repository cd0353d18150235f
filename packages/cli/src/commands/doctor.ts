import type { CommandContext, CommonFlags } from "../command-context.js";
import { type Diagnosis, diagnose } from "../doctor/diagnose.js";
import { EXIT } from "../output/errors.js";
import { writeJson } from "../output/json.js";
import { printable } from "../output/printable.js";

/** Looks at what this machine offers, and tells what is missing and how to get it. */
export async function doctor({ json }: CommonFlags, { out, signal }: CommandContext): Promise<number> {
  const checks = await diagnose(signal);
  const worst = checks.some(({ status }) => status === "error") ? EXIT.problem : EXIT.good;
  if (json) {
    writeJson(out, { checks });
    return worst;
  }
  const { colors } = out;
  const marks: Record<Diagnosis["status"], string> = {
    ok: colors.green("ok     "),
    none: colors.dim("-      "),
    warning: colors.yellow("warning"),
    error: colors.red("error  "),
  };
  const width = Math.max(...checks.map(({ name }) => name.length));
  for (const { name, status, found, advice } of checks) {
    out.write(`${marks[status]}  ${name.padEnd(width)}  ${printable(found)}\n`);
    if (advice !== undefined) out.write(`${" ".repeat(width + 11)}${colors.cyan("try:")} ${printable(advice)}\n`);
  }
  return worst;
}
