import { CheckpointConfigError } from "./errors.js";

/** @throws {CheckpointConfigError} INVALID_ARGUMENT unless `value` is a number from `least` on, a whole one where `whole`. */
export function checkOption(name: string, value: number, least: number, whole = true): void {
  if (value >= least && (!whole || Number.isSafeInteger(value))) return;
  throw new CheckpointConfigError(
    "INVALID_ARGUMENT",
    `${name} is ${value}; it must be a ${whole ? "whole " : ""}number of at least ${least}.`,
    {
      details: { option: name, found: value, least },
    },
  );
}
