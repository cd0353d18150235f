import { EXAMPLES, EXIT_CODES } from "../../../packages/cli/src/help-text.js";
import { createProgram } from "../../../packages/cli/src/program.js";
import { code, markdownTable, sentence } from "./markdown-table.js";

type Command = ReturnType<typeof createProgram>;
type Argument = Command["registeredArguments"][number];
type Option = Command["options"][number];

/** The page of the `ckpt` command, from the program itself: commands, arguments, options, examples, exit codes. */
export function cliPage(): string {
  const unused = { write: () => {}, colors: {}, columns: 100 };
  // The context serves commands that run; here the program is only looked at.
  const program = createProgram("", { out: unused, err: unused, signal: new AbortController().signal } as never);
  const commands = program.commands.filter((command) => command.name() !== "help");
  return [
    "# The ckpt command",
    `${program.description().replaceAll("\n", " ")}\n\nInstall it with \`npm install --global ckptkit\`, or run it without installing: \`npx ckptkit inspect model.ckpt\`.`,
    markdownTable(
      ["Command", "What it does"],
      commands.map((command) => [`[\`ckpt ${command.name()}\`](#ckpt-${command.name()})`, sentence(capitalised(command.summary()))]),
    ),
    "Every command takes `--help`. Where a path is asked for, an address does as well: see [Sources](../sources.md).",
    ...commands.map(section),
    `## Exit codes\n\n${exitCodes()}`,
  ].join("\n\n");
}

function section(command: Command): string {
  const name = command.name();
  const help = command.createHelp();
  const options = help.visibleOptions(command).filter(({ long }) => long !== "--help");
  const examples = Object.entries(EXAMPLES).find(([key]) => key === name)?.[1];
  return [
    `## ckpt ${name}`,
    command.description().replaceAll("\n", " "),
    fence("sh", help.commandUsage(command).trim()),
    command.registeredArguments.length > 0 ? markdownTable(["Argument", "Meaning"], command.registeredArguments.map(argumentRow)) : "",
    options.length > 0 ? markdownTable(["Option", "Meaning"], options.map(optionRow)) : "",
    examples === undefined ? "" : `Examples:\n\n${fence("sh", examples.trim().split("\n").slice(1).map(asShell).join("\n"))}`,
  ]
    .filter((text) => text !== "")
    .join("\n\n");
}

const argumentRow = (argument: Argument): string[] => [
  code(argument.required ? `<${argument.name()}>` : `[${argument.name()}]`),
  sentence(capitalised(argument.description)),
];

const optionRow = (option: Option): string[] => {
  const standard = option.defaultValue === undefined ? "" : ` By default ${code(String(option.defaultValue))}.`;
  return [code(option.flags), sentence(capitalised(option.description)) + standard];
};

/** In the help a note stands behind many spaces; in a shell it is a comment. */
const asShell = (line: string): string =>
  line
    .trim()
    .replace(/ {2,}(?!#)(?=\S)/, "  # ")
    .replace(/^(?=\w+ .* {2}# )/, "");

function exitCodes(): string {
  const rows = [...EXIT_CODES.matchAll(/^ {2}(\d+) +([\s\S]+?)(?=\n {2}\d|$(?![\s\S]))/gm)];
  return markdownTable(
    ["Code", "Meaning"],
    rows.map(([, exit = "", meaning = ""]) => [code(exit), sentence(capitalised(meaning.replace(/\s+/g, " ")))]),
  );
}

const fence = (language: string, text: string): string => `\`\`\`${language}\n${text}\n\`\`\``;
/** A list of values keeps its letters as they are. */
const capitalised = (text: string): string => (/^[\w-]+,/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1));
