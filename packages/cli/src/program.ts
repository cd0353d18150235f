import { CAST_DTYPES, HASH_ALGORITHMS } from "@ckptkit/core";
import type { ConvertTarget } from "@ckptkit/inspect";
import { Command, Option } from "commander";
import type { CommandContext } from "./command-context.js";
import type { AuditFlags } from "./commands/audit.js";
import type { ConvertFlags } from "./commands/convert.js";
import type { HashFlags } from "./commands/hash.js";
import type { InspectFlags } from "./commands/inspect.js";
import type { RepairFlags } from "./commands/repair.js";
import type { ScanFlags } from "./commands/scan.js";
import { EXAMPLES, EXIT_CODES } from "./help-text.js";
import { limit, limitsText } from "./limit-option.js";
import { oneOf, parseByteSize } from "./option-values.js";
import { addComparingCommands, whole } from "./program-comparing.js";
import { addMetadataCommand } from "./program-metadata.js";
import { addPipelineCommands } from "./program-pipelines.js";
import { workers } from "./workers-option.js";

const TARGETS: readonly ConvertTarget[] = ["safetensors", "pytorch", "lightning", "state_dict", "gguf", "npz"];
/** ggml's type of signed bytes, 32 to a scale. */
const QUANTIZED = "Q8_0";
const DTYPES = CAST_DTYPES.filter((dtype) => dtype !== "F64");
const URI = "a path, or an http(s) address";

/** The `ckpt` program. The code of a command is loaded when it runs, so that none pays for the others. */
export function createProgram(version: string, context: CommandContext): Command {
  const program = new Command("ckpt")
    .description(
      "Opens, checks and converts machine-learning checkpoints (PyTorch, Lightning,\nsafetensors) without Python. Nothing in a file is ever executed.",
    )
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "show help")
    .helpCommand("help [command]", "show the help of a command")
    .addOption(verbose())
    // Errors are told in one place, together with those that commands throw.
    .configureOutput({ outputError: () => {} })
    .exitOverride()
    .addHelpText("after", `${EXAMPLES.all}\n\n${EXIT_CODES}`);

  program
    .command("inspect")
    .summary("what is in it: tensors, metadata, findings")
    .description("Shows tensors, metadata and findings, from the description alone: the tensors' bytes are not read.")
    .argument("<uri>", URI)
    .option("--json", "print JSON")
    .addOption(
      new Option("--summary", "show what it amounts to: sizes, training state, memory, unused bytes").conflicts(["tree", "modules"]),
    )
    .addOption(new Option("--modules", "show its modules and their parameters").conflicts(["tree"]))
    .addOption(new Option("--depth <n>", "levels of --modules; by default as many as fit on a page").argParser(whole))
    .addOption(new Option("--tree", "show everything that the file holds, as a tree").conflicts("json"))
    .addOption(new Option("--csv", "print the tensors as CSV").conflicts(["tree", "summary", "modules"]))
    .addOption(new Option("--markdown", "print a report in Markdown").conflicts(["tree", "summary", "modules", "csv"]))
    .addOption(filter())
    .addOption(limit())
    .addOption(verbose())
    .addHelpText("after", EXAMPLES.inspect)
    .action(async (uri: string, _flags: unknown, command: Command) => {
      const { inspect } = await import("./commands/inspect.js");
      process.exitCode = await inspect(uri, command.optsWithGlobals<InspectFlags>(), context);
    });

  program
    .command("scan")
    .summary("look for NaN and Inf; ranges of every tensor")
    .description(
      "Looks at every number: NaN, infinities, zeros, minimum, maximum, mean, standard deviation.\nExit code 1 when a NaN or Inf is found.",
    )
    .argument("<uri>", URI)
    .option("--json", "print JSON")
    .addOption(new Option("--csv", "print the numbers of every tensor as CSV").conflicts("json"))
    .addOption(new Option("--finite", "look for NaN and infinities alone: faster, above all where numbers have 16 bits").conflicts("csv"))
    .addOption(filter())
    .addOption(workers())
    .addOption(limit())
    .addOption(verbose())
    .addHelpText("after", EXAMPLES.scan)
    .action(async (uri: string, _flags: unknown, command: Command) => {
      const { scan } = await import("./commands/scan.js");
      process.exitCode = await scan(uri, command.optsWithGlobals<ScanFlags>(), context);
    });

  program
    .command("audit")
    .summary("is it safe to load? what it would import and run")
    .description(
      "Tells what loading the files with Python would import and call, and whether they may be trusted: pickles, archives\nand what is hidden in them. Nothing is executed. Folders are audited with all that is in them.",
    )
    .argument("<uri...>", `${URI}, or a folder`)
    .option("--json", "print JSON: an object for one file, an array for several")
    .addOption(new Option("--sarif", "print a SARIF 2.1.0 log").conflicts("json"))
    .option("--policy <file>", "names to allow and deny, and verdicts of rules: YAML or JSON")
    .option("--strict", "exit 1 for names that are not known, too")
    .addOption(limit())
    .addOption(verbose())
    .addHelpText("after", EXAMPLES.audit)
    .action(async (uris: string[], _flags: unknown, command: Command) => {
      const { audit } = await import("./commands/audit.js");
      process.exitCode = await audit(uris, command.optsWithGlobals<AuditFlags>(), context, version);
    });

  program
    .command("hash")
    .summary("the digest of the file, or of every tensor")
    .description("Prints the digest of the whole file, or with --tensors of every tensor's contiguous little-endian bytes.")
    .argument("<uri>", URI)
    .addOption(new Option("-a, --algorithm <name>", HASH_ALGORITHMS.join(", ")).argParser(oneOf(HASH_ALGORITHMS)).default("sha256"))
    .option("--tensors", "hash every tensor by itself")
    .addOption(filter())
    .addOption(workers())
    .addOption(noCrc())
    .option("--json", "print JSON")
    .addOption(limit())
    .addOption(verbose())
    .addHelpText("after", EXAMPLES.hash)
    .action(async (uri: string, _flags: unknown, command: Command) => {
      const { hash } = await import("./commands/hash.js");
      process.exitCode = await hash(uri, command.optsWithGlobals<HashFlags>(), context);
    });

  program
    .command("convert")
    .summary("write it in another format")
    .description(
      "Writes the model's weights in another format, streaming, in constant memory. OUT appears when all of it is written, or not at all.",
    )
    .argument("<uri>", URI)
    .argument("<out>", "the file to write; shards get names derived from it")
    .addOption(
      new Option(
        "--to <target>",
        `${TARGETS.join(", ")}; by default what OUT's suffix says: .safetensors, .pt .pth .bin (state_dict), .ckpt (lightning), .gguf, .npz`,
      ).argParser(oneOf(TARGETS)),
    )
    .addOption(
      new Option("--dtype <dtype>", `cast floating-point tensors: ${DTYPES.join(", ")}; for gguf also ${QUANTIZED}`).argParser(
        oneOf([...DTYPES, QUANTIZED]),
      ),
    )
    .addOption(
      new Option("--max-shard-size <size>", "split safetensors into files of at most this size, such as 2GB").argParser(parseByteSize),
    )
    .option("--all", "optimizer states and other tensors too")
    .addOption(filter())
    .option("--force", "replace OUT if it exists")
    .addOption(noCrc())
    .option("--json", "print JSON")
    .addOption(limit())
    .addOption(verbose())
    .addHelpText("after", EXAMPLES.convert)
    .action(async (uri: string, out: string, _flags: unknown, command: Command) => {
      const { convert } = await import("./commands/convert.js");
      process.exitCode = await convert(uri, out, command.optsWithGlobals<ConvertFlags>(), context);
    });

  program
    .command("repair")
    .summary("save what is whole in a damaged file")
    .description(
      "Saves every tensor of a truncated or damaged torch archive (.pt, .ckpt) or safetensors file whose bytes are whole, and lists\nwhat was lost and why. OUT appears when all of it is written, or not at all.",
    )
    .argument("<in>", URI)
    .argument("<out>", "the file to write: .safetensors, or .pt .pth .bin .ckpt for a torch archive arranged as IN")
    .option("--force", "replace OUT if it exists")
    .option("--json", "print JSON")
    .addOption(limit())
    .addOption(verbose())
    .addHelpText("after", EXAMPLES.repair)
    .action(async (uri: string, out: string, _flags: unknown, command: Command) => {
      const { repair } = await import("./commands/repair.js");
      process.exitCode = await repair(uri, out, command.optsWithGlobals<RepairFlags>(), context);
    });

  addMetadataCommand(program, context, URI, verbose);

  program
    .command("limits")
    .summary("the safety limits that --limit changes")
    .description("Lists the safety limits that --limit changes, with their values and reasons.")
    .configureHelp({ formatHelp: () => limitsText(context.out.width) })
    .action(() => context.out.write(limitsText(context.out.width)));

  addComparingCommands(program, context, URI, verbose, filter);
  addPipelineCommands(program, context, verbose);
  return program;
}

const verbose = (): Option => new Option("-v, --verbose", "all findings, timings, and details of errors");
const filter = (): Option => new Option("--filter <glob>", "only tensors whose path or name matches, such as '*.weight'");
const noCrc = (): Option => new Option("--no-crc", "do not check the CRC-32 of the archive's records");
