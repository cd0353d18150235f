// `pnpm licences`: what users install with our packages, and under which licences it comes.
import "./lib/node-version.mjs";
import { licenceProblems, shipped } from "./lib/licences.mjs";
import { say } from "./lib/steps.mjs";

for (const { name, version, licence, by } of shipped()) say(`  ${licence.padEnd(12)} ${name} ${version}   (${[...by].join(", ")})`);
const problems = licenceProblems();
say(
  problems.length > 0 ? problems.join("\n") : "\nEvery licence is one that Apache-2.0 goes with, and what we copy is named with its own.",
);
process.exitCode = problems.length > 0 ? 1 : 0;
