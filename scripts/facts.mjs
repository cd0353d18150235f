// `pnpm facts`: builds and packs, and writes what each package weighs, and where more is, at the end of its README; and draws the picture of the imports.
import "./lib/node-version.mjs";
import { writeFacts } from "./lib/facts.mjs";
import { writePicture } from "./lib/imports-picture.mjs";
import { packAll } from "./lib/pack.mjs";
import { tail } from "./lib/run.mjs";
import { usePnpm } from "./lib/setup.mjs";
import { StepFailed, say } from "./lib/steps.mjs";
import { turbo } from "./lib/turbo.mjs";

try {
  await usePnpm();
  const { code, output } = await turbo(["generate", "build"], ["--filter=!@ckptkit/docs"]);
  if (code !== 0) throw new StepFailed(`The build failed.\n\n${tail(output, 60)}`);
  const changed = [...(await writeFacts(await packAll())), ...writePicture()];
  say(
    changed.length > 0
      ? changed.map((file) => `changed  ${file}`).join("\n")
      : "The facts in the READMEs and the picture of the imports are current.",
  );
} catch (error) {
  if (!(error instanceof StepFailed)) throw error;
  say(error.message);
  process.exitCode = 1;
}
