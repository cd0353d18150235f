import { CheckpointConfigError } from "@ckptkit/core";
import type { Catalog } from "../catalog.js";
import { checkNodes, type PipelineConfig } from "./check.js";
import { parseConfigDocument } from "./document.js";
import { interpolate } from "./interpolate.js";
import { configError } from "./issues.js";
import { type ConfigNode, type ConfigPath, type ConfigPlace, type MapNode, mergeNodes, nodeOf, showPath, withoutEntry } from "./node.js";
import { applyOverride, type Override } from "./override.js";

/** A configuration file that was read: YAML or JSON as text, anything else as the value that it gave. */
export type ConfigFile = { readonly file: string } & ({ readonly text: string } | { readonly value: unknown });

/** Where configuration comes from and what goes into it. */
export interface LoadConfigOptions {
  /** Reads a file that `extends` names, relative to the one that names it. */
  readRelative?: ((name: string, from: string) => Promise<ConfigFile>) | undefined;
  /** Looks environment variables up; nothing is put in when left out. */
  environment?: ((name: string) => string | undefined) | undefined;
  /** Values set from the command line. They win. */
  overrides?: readonly Override[] | undefined;
}

/**
 * Reads a pipeline's configuration: what it extends, environment variables, overrides; and checks all of it against the catalog.
 *
 * @throws {CheckpointConfigError} CONFIG_SYNTAX, CONFIG_VARIABLE, INVALID_ARGUMENT of an override; CONFIG_INVALID listing every
 * defect with file, line and column
 * @example const config = await loadConfig({ text, file: "pipeline.yaml" }, await Catalog.load());
 */
export async function loadConfig(file: ConfigFile, catalog: Catalog, options: LoadConfigOptions = {}): Promise<PipelineConfig> {
  let node: ConfigNode = await readWithBases(file, options, []);
  for (const override of options.overrides ?? []) node = applyOverride(node, override);
  if (options.environment) node = interpolate(node, options.environment);
  return checkNodes(node, catalog);
}

/**
 * Checks configuration that is there as a value.
 *
 * @throws {CheckpointConfigError} CONFIG_INVALID listing every defect
 */
export function checkConfig(value: unknown, catalog: Catalog, file = "configuration"): PipelineConfig {
  return checkNodes(rootOf({ file, value }), catalog);
}

function rootOf(source: ConfigFile): MapNode {
  const { file } = source;
  if ("text" in source) return parseConfigDocument(source.text, file);
  const refuse = (what: string, path: ConfigPath): Error =>
    configError("CONFIG_INVALID", file, [{ file, path: showPath(path), message: `plain values were expected, found ${what}` }]);
  const node = nodeOf(source.value, { file }, refuse);
  if (node.kind === "map") return node;
  throw configError(
    "CONFIG_INVALID",
    file,
    [
      {
        file,
        path: "",
        message: `an object with "stages" was expected, found ${node.kind === "scalar" ? String(node.value) : `a ${node.kind}`}`,
      },
    ],
    ["A TypeScript file ends in: export default defineConfig({ stages: [...] });"],
  );
}

/** A file, merged onto what it extends, the first base lowest. */
async function readWithBases(source: ConfigFile, options: LoadConfigOptions, chain: readonly string[]): Promise<MapNode> {
  const { file } = source;
  const root = rootOf(source);
  const bases = root.entries.get("extends");
  if (!bases) return root;
  const refuse = (place: ConfigPlace, message: string, cause?: unknown): Error =>
    configError("CONFIG_INVALID", file, [{ ...place, path: "extends", message }], [], cause);
  let merged: ConfigNode | undefined;
  for (const base of bases.kind === "list" ? bases.items : [bases]) {
    if (base.kind !== "scalar" || typeof base.value !== "string" || base.value === "")
      throw refuse(base.place, "the path of a file was expected");
    if (!options.readRelative) throw refuse(base.place, "other files cannot be read from here");
    const read = await options.readRelative(base.value, file).catch((error: unknown) => {
      if (!(error instanceof CheckpointConfigError) && error instanceof Error) throw refuse(base.place, error.message, error);
      throw error;
    });
    const circle = [...chain, file];
    if (circle.includes(read.file)) {
      throw refuse(
        base.place,
        `the files extend one another in a circle: ${[...circle.slice(circle.indexOf(read.file)), read.file].join(" -> ")}`,
      );
    }
    const node = await readWithBases(read, options, circle);
    merged = merged ? mergeNodes(merged, node) : node;
  }
  const own = withoutEntry(root, "extends");
  const result = merged ? mergeNodes(merged, own) : own;
  return result.kind === "map" ? result : own;
}
