import { CheckpointConfigError, type Json } from "@ckptkit/core";
import { isNode, LineCounter, parseDocument } from "yaml";

/** A place in a configuration file, counted from 1. */
export interface ConfigPlace {
  file: string;
  line: number;
  column: number;
}

/** A step to a value: a key, or an index of a list. */
export type ConfigPath = readonly (string | number)[];

/** A configuration file that was read. */
export interface ConfigDocument {
  readonly file: string;
  readonly value: { readonly [key: string]: Json };
  /** Where the value at a path stands, or the nearest thing around it that stands in this file. */
  locate(path: ConfigPath): { place: ConfigPlace; depth: number };
}

/**
 * Parses YAML, of which JSON is a part.
 *
 * @param file names the text in errors.
 * @throws {CheckpointConfigError} CONFIG_SYNTAX with file, line and column of every defect
 */
export function parseConfigDocument(text: string, file: string): ConfigDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  const placeAt = (offset: number): ConfigPlace => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  if (document.errors.length > 0) {
    const issues = document.errors.map(({ message, pos }) => ({ ...placeAt(pos[0]), message }));
    throw new CheckpointConfigError("CONFIG_SYNTAX", `${file} is not valid YAML:\n${issues.map(showIssue).join("\n")}`, {
      details: { issues },
    });
  }
  const value: unknown = document.toJS({ maxAliasCount: 100 });
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new CheckpointConfigError("CONFIG_INVALID", `${file} holds no map of settings; a pipeline begins with "stages:".`, {
      details: { file },
    });
  }
  return {
    file,
    value: value as { [key: string]: Json }, // YAML's core schema gives plain JSON
    locate(path) {
      for (let depth = path.length; depth >= 0; depth--) {
        const node: unknown = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
        if (isNode(node) && node.range) return { place: placeAt(node.range[0]), depth };
      }
      return { place: { file, line: 1, column: 1 }, depth: 0 };
    },
  };
}

/** One defect, as compilers print them. */
export function showIssue({ file, line, column, message }: ConfigPlace & { message: string }): string {
  return `  ${file}:${line}:${column}  ${message}`;
}
