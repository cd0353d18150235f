import { type Command, InvalidArgumentError, Option } from "commander";
import type { CommandContext } from "./command-context.js";
import type { CompareFlags } from "./commands/compare.js";
import type { TensorFlags } from "./commands/tensor.js";
import { EXAMPLES } from "./help-text.js";
import { oneOf, parseByteSize } from "./option-values.js";

const REDUCE = ["max-abs", "mean", "nearest"] as const;

/** Adds the commands that look at one tensor, and at two checkpoints. */
export function addComparingCommands(
  program: Command,
  context: CommandContext,
  uri: string,
  verbose: () => Option,
  filter: () => Option,
): void {
  program
    .command("tensor")
    .summary("one tensor: values, histogram, a picture of it")
    .description("Shows one tensor by its path or name. Only the bytes that this needs are read, however large it is.")
    .argument("<uri>", uri)
    .argument("<path>", "its path or name, as ckpt inspect lists it")
    .addOption(new Option("--values <n>", "show so many values").argParser(whole))
    .addOption(new Option("--start <n>", "place of the first of them, in row-major order").argParser(whole))
    .option("--histogram", "count its numbers by value and magnitude: reads all of it")
    .addOption(new Option("--bins <n>", "bins of the histogram").argParser(whole))
    .addOption(new Option("--sample <size>", "read about so much of a larger tensor, such as 64MB").argParser(parseByteSize))
    .addOption(new Option("--slice <index>", "draw a plane, as Python indexes: '0,:,0:64'; ':' for the last two axes"))
    .addOption(new Option("--reduce <how>", `what a block of the plane shows: ${REDUCE.join(", ")}`).argParser(oneOf(REDUCE)))
    .option("--json", "print JSON")
    .addOption(verbose())
    .addHelpText("after", EXAMPLES.tensor)
    .action(async (from: string, path: string, _flags: unknown, command: Command) => {
      const { tensor } = await import("./commands/tensor.js");
      process.exitCode = await tensor(from, path, command.optsWithGlobals<TensorFlags>(), context);
    });

  program
    .command("compare")
    .alias("diff")
    .summary("how two checkpoints differ: tensors, and by how much")
    .description(
      "Compares two checkpoints of whatever formats: tensors added, removed and changed, and by how much.\nExit code 0 when they are the same, 1 when they differ, 2 when they cannot be compared.",
    )
    .argument("<a>", uri)
    .argument("<b>", uri)
    .addOption(filter())
    .addOption(new Option("--by <what>", "match by path or name; by default whichever matches more").argParser(oneOf(["path", "name"])))
    .option("--strip-prefix <prefix>", "take this off names before they are matched, such as model.")
    .addOption(new Option("--atol <number>", "values may be apart by atol + rtol x |b|").argParser(tolerance))
    .addOption(new Option("--rtol <number>", "see --atol").argParser(tolerance))
    .option("--ignore-dtype", "another dtype is no difference when the values are close enough")
    .option("--no-values", "names, dtypes and shapes alone: reads headers only")
    .option("--json", "print JSON")
    .addOption(verbose())
    .addHelpText("after", EXAMPLES.compare)
    .action(async (a: string, b: string, _flags: unknown, command: Command) => {
      const { compare } = await import("./commands/compare.js");
      process.exitCode = await compare(a, b, command.optsWithGlobals<CompareFlags>(), context);
    });
}

/** A whole number of 0 or more. */
export function whole(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a whole number.");
}

function tolerance(text: string): number {
  const number = text.trim() === "" ? Number.NaN : Number(text);
  if (number >= 0 && number < Number.POSITIVE_INFINITY) return number;
  throw new InvalidArgumentError("It must be a number of 0 or more, such as 1e-3.");
}
