import { CheckpointConfigError, type ErrorCode } from "@ckptkit/core";
import type { ConfigPlace } from "./node.js";

/** One defect of a configuration. */
export interface ConfigIssue extends ConfigPlace {
  /** `stages[0].path`; '' for the whole. */
  path: string;
  message: string;
}

/** One defect, as compilers print them: `pipeline.yaml:3:12  stages[0].path: expected a string, found 5`. */
export function showIssue({ file, line, column, path, message }: ConfigIssue): string {
  const place = [file, line, column].filter((part) => part !== undefined).join(":");
  return `  ${place}  ${path === "" ? "" : `${path}: `}${message}`;
}

/** The error that lists defects. */
export function configError(
  code: ErrorCode,
  file: string,
  issues: readonly ConfigIssue[],
  suggestions: readonly string[] = [],
  cause?: unknown,
): CheckpointConfigError {
  const count = issues.length === 1 ? "a defect" : `${issues.length} defects`;
  return new CheckpointConfigError(code, `The pipeline ${file} has ${count}:\n${issues.map(showIssue).join("\n")}`, {
    details: { file, issues },
    suggestions,
    cause,
  });
}
