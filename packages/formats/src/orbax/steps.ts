import { CheckpointConfigError, someNames } from "@ckptkit/core";

/** Folders of steps: their number, perhaps with a word before it. */
const STEP = /^(?:[^/]*[^/\d])?(\d+)\/$/;
/** What describes a step, the best first. */
const DESCRIBING = ["_CHECKPOINT_METADATA", "_METADATA", "manifest.ocdbt"];
/** Folders that are looked into. */
const MOST_STEPS = 1000;

/**
 * The file that describes the only step in a folder of steps, as CheckpointManager of Orbax makes them; undefined when there are none.
 *
 * @param names what is in the folder
 * @param list gives what is in a folder within it
 * @throws {CheckpointConfigError} SEVERAL_CHECKPOINTS, with the steps from the last on
 */
export async function onlyStep(
  names: readonly string[],
  list: (name: string) => Promise<readonly string[]>,
  folder: string,
): Promise<string | undefined> {
  const numbered = names.flatMap((name) => {
    const number = STEP.exec(name)?.[1];
    return number === undefined ? [] : [{ name, number: Number(number) }];
  });
  const steps: string[] = [];
  for (const { name } of numbered.sort((a, b) => b.number - a.number).slice(0, MOST_STEPS)) {
    const inside = await list(name);
    const file = DESCRIBING.find((one) => inside.includes(one));
    if (file) steps.push(name + file);
  }
  if (steps.length < 2) return steps[0];
  const shown = steps.map((step) => step.slice(0, step.indexOf("/")));
  throw new CheckpointConfigError("SEVERAL_CHECKPOINTS", `${folder} holds ${steps.length} steps of Orbax: ${someNames(shown)}.`, {
    details: { folder, checkpoints: shown.slice(0, 50) },
    suggestions: [`Choose one by its folder, such as the last: ${folder.replace(/[/\\]*$/, "/")}${shown[0]}`],
  });
}
