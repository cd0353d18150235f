// `pnpm new stage|source|format|package NAME`: writes something small that works, with its test, to be made into what it is to become.
import "./lib/node-version.mjs";
import { parseArgs } from "node:util";
import { create, KINDS, STAGES } from "./lib/new/create.mjs";
import { inRoot, tool } from "./lib/root.mjs";
import { run } from "./lib/run.mjs";
import { StepFailed, say } from "./lib/steps.mjs";

const USAGE = `pnpm new KIND NAME [--as STAGE]

  KIND   ${KINDS.join(", ")}
  NAME   in kebab-case, such as "finite" or "learning-rate"
  --as   for a stage: ${STAGES.join(", ")} (${STAGES[0]} when left out)`;

try {
  const { values, positionals } = parseArgs({ options: { as: { type: "string", default: STAGES[0] } }, allowPositionals: true });
  const [kind, name] = positionals;
  if (positionals.length !== 2 || !KINDS.includes(kind) || !STAGES.includes(values.as)) throw new StepFailed(USAGE);
  const { written, changed, next } = create(inRoot(), { kind, name, as: values.as });
  const code = [...written, ...changed].filter((file) => /\.(?:ts|json|mjs)$/.test(file));
  await run([...tool("@biomejs/biome", "biome"), "check", "--write", ...code], { limitMs: 60_000 });
  for (const file of written) say(`  wrote    ${file}`);
  for (const file of changed) say(`  changed  ${file}`);
  say(`\nNext:\n${next.map((line) => `  ${line}`).join("\n")}`);
} catch (error) {
  say(error instanceof StepFailed || error.code?.startsWith("ERR_PARSE_ARGS") ? error.message : error.stack);
  process.exitCode = 1;
}
