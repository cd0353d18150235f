import { CheckpointConfigError } from "@ckptkit/core";
import type { CommanderError } from "commander";

const COMMANDS = [
  "inspect",
  "scan",
  "audit",
  "hash",
  "tensor",
  "compare",
  "diff",
  "convert",
  "repair",
  "run",
  "plan",
  "catalog",
  "schema",
  "doctor",
];

/** A wrong command line as an error like all others, with commander's "Did you mean" among what to try. */
export function usageError({ message, code }: CommanderError, argv: readonly string[]): CheckpointConfigError {
  const [first = "", ...rest] = message.replace(/^error: /, "").split("\n");
  const meant = rest.map((line) => /^\(Did you mean (?:one of )?(.+)\?\)$/.exec(line)?.[1]).find((found) => found !== undefined);
  const command = COMMANDS.find((name) => argv.slice(2).includes(name));
  const suggestions = [`ckpt ${command === undefined ? "" : `${command} `}--help`];
  if (code === "commander.unknownCommand") {
    const given = /'(.*)'/.exec(first)?.[1] ?? "";
    if (meant !== undefined) suggestions.unshift(`ckpt ${meant}`);
    else if (/[./\\]/.test(given)) suggestions.unshift(`ckpt inspect ${given}`);
  } else if (meant !== undefined) suggestions.unshift(meant);
  return new CheckpointConfigError("INVALID_ARGUMENT", sentence(first), { details: { kind: code }, suggestions });
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1) + (text.endsWith(".") ? "" : ".");
