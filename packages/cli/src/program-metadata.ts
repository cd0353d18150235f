import { type Command, Option } from "commander";
import type { CommandContext } from "./command-context.js";
import type { MetadataFlags } from "./commands/metadata.js";
import { EXAMPLES } from "./help-text.js";
import { limit } from "./limit-option.js";

/** Adds the command that reads and changes metadata. */
export function addMetadataCommand(program: Command, context: CommandContext, uriText: string, verbose: () => Option): void {
  program
    .command("metadata")
    .summary("print the metadata, or change them in their place")
    .description(
      "Prints the metadata of a file: __metadata__ of safetensors, anemoi's record of a torch archive. With --set or --remove, changes them\nin their place: the bytes of tensors are not written.",
    )
    .argument("<uri>", `${uriText}; a path where it is changed`)
    .addOption(new Option("--set <key=value>", "set a value; JSON where the format holds JSON").argParser(collect))
    .option("--set-json <file>", "set the values of a JSON object")
    .addOption(new Option("--remove <key>", "take a key away").argParser(collect))
    .option("--rewrite", "write the file anew where the change does not fit into its place")
    .addOption(
      new Option("--restore", "put a file back as it was before a change that was cut off").conflicts([
        "set",
        "setJson",
        "remove",
        "rewrite",
      ]),
    )
    .option("--json", "print JSON")
    .addOption(limit())
    .addOption(verbose())
    .addHelpText("after", EXAMPLES.metadata)
    .action(async (uri: string, _flags: unknown, command: Command) => {
      const { metadata } = await import("./commands/metadata.js");
      process.exitCode = await metadata(uri, command.optsWithGlobals<MetadataFlags>(), context);
    });
}

const collect = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];
