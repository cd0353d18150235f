import { STAGE_KINDS, type StageKind } from "@ckptkit/core/pipeline";
import { Argument, type Command, Option } from "commander";
import type { CommandContext, CommonFlags } from "./command-context.js";
import type { PlanFlags } from "./commands/plan.js";
import type { RunFlags } from "./commands/run.js";
import { EXAMPLES } from "./help-text.js";
import { oneOf } from "./option-values.js";
import { workers } from "./workers-option.js";

const FILE = "a pipeline: .yaml, .json, or .ts with a default export";

/** Adds the commands of checkpoint pipelines. */
export function addPipelineCommands(program: Command, context: CommandContext, verbose: () => Option): void {
  program
    .command("run")
    .summary("run a pipeline: open, check, load, change, save")
    .description(
      "Runs the stages of a pipeline on a checkpoint. Its file is checked as a whole first, and every defect of it\nis told with line and column.",
    )
    .argument("<pipeline>", FILE)
    .addOption(set())
    .option("--dry-run", "tell what it would do, from headers alone, as ckpt plan does")
    .option("--force", "replace outputs that exist")
    .addOption(workers())
    .option("--json", "print JSON")
    .addOption(verbose())
    .addHelpText("after", EXAMPLES.run)
    .action(async (file: string, _flags: unknown, command: Command) => {
      const { run } = await import("./commands/run.js");
      process.exitCode = await run(file, command.optsWithGlobals<RunFlags>(), context);
    });

  program
    .command("plan")
    .summary("what a pipeline would read, load and write")
    .description(
      "Opens what a pipeline opens, by headers alone, and tells what fits and how much it would read and write.\nNo weight is read, nothing is written.",
    )
    .argument("<pipeline>", FILE)
    .addOption(set())
    .option("--force", "take it that outputs may be replaced")
    .option("--json", "print JSON")
    .addOption(verbose())
    .addHelpText("after", EXAMPLES.plan)
    .action(async (file: string, _flags: unknown, command: Command) => {
      const { plan } = await import("./commands/plan.js");
      process.exitCode = await plan(file, command.optsWithGlobals<PlanFlags>(), context);
    });

  program
    .command("catalog")
    .summary("the stages that pipelines are made of")
    .description("Lists the stages that there are, those of installed packages too; or the options of one.")
    .addArgument(new Argument("[kind]", STAGE_KINDS.join(", ")).argParser(oneOf(STAGE_KINDS)))
    .argument("[name]", "a stage, for its options")
    .option("--json", "print JSON")
    .addOption(verbose())
    .addHelpText("after", EXAMPLES.catalog)
    .action(async (kind: StageKind | undefined, name: string | undefined, _flags: unknown, command: Command) => {
      const { catalog } = await import("./commands/catalog.js");
      process.exitCode = await catalog(kind, name, command.optsWithGlobals<CommonFlags>(), context);
    });

  program
    .command("schema")
    .summary("the JSON Schema of pipeline files, for editors")
    .description("Prints the JSON Schema of pipeline files, with the stages that are installed here.")
    .addOption(verbose())
    .addHelpText("after", EXAMPLES.schema)
    .action(async () => {
      const { schema } = await import("./commands/schema.js");
      process.exitCode = await schema(context);
    });

  program
    .command("doctor")
    .summary("what this machine offers, and what is missing")
    .description("Looks at Node.js, kernels, the folder of downloads, and at which credentials are found: by name only.")
    .option("--json", "print JSON")
    .addOption(verbose())
    .addHelpText("after", EXAMPLES.doctor)
    .action(async (_flags: unknown, command: Command) => {
      const { doctor } = await import("./commands/doctor.js");
      process.exitCode = await doctor(command.optsWithGlobals<CommonFlags>(), context);
    });
}

const set = (): Option =>
  new Option("--set <key=value>", "set a value of the pipeline, such as stages.0.path=model.ckpt; may be given several times").argParser(
    (value: string, before: string[] | undefined) => [...(before ?? []), value],
  );
