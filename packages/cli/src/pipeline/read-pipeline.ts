import { readFile } from "node:fs/promises";
import { dirname, extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Catalog, type ConfigFile, loadConfig, OWN_MODULES, type PipelineConfig, parseOverride } from "@ckptkit/catalog";
import { CheckpointConfigError, CheckpointError, CheckpointNotFoundError } from "@ckptkit/core";
import { fileSource, installedStageModules } from "@ckptkit/node";

/** A pipeline that was read from a file. */
export interface ReadPipeline {
  config: PipelineConfig;
  catalog: Catalog;
}

/** Files that are programs: they are run, as a configuration of any JavaScript tool is. */
const PROGRAMS = new Set([".ts", ".mts", ".cts", ".js", ".mjs", ".cjs"]);
const TEXTS = new Set([".yaml", ".yml", ".json", ".jsonc"]);

/**
 * Reads a pipeline's file with what it extends, environment variables, and the values of --set, and checks it.
 *
 * @throws {CheckpointNotFoundError} NOT_FOUND
 * @throws {CheckpointConfigError} see `loadConfig`
 */
export async function readPipeline(file: string, sets: readonly string[] = []): Promise<ReadPipeline> {
  const overrides = sets.map(parseOverride);
  const catalog = await loadCatalog(dirname(resolve(file)));
  const config = await loadConfig(await readConfigFile(file), catalog, {
    readRelative: (name, from) => readConfigFile(beside(name, from)),
    environment: (name) => process.env[name],
    overrides,
  });
  return { config, catalog };
}

/** The stages of ckptkit, and those of the packages that the project around a folder has installed. */
export const loadCatalog = async (folder: string): Promise<Catalog> =>
  Catalog.load([...OWN_MODULES, ...(await installedStageModules(folder))]);

/** A path relative to the folder of a file, as short as it was written. */
const beside = (name: string, from: string): string => (dirname(from) === "." ? name : resolve(dirname(from), name));

async function readConfigFile(file: string): Promise<ConfigFile> {
  const extension = extname(file).toLowerCase();
  if (PROGRAMS.has(extension)) return { file, value: await defaultExport(file) };
  const text = await readText(file);
  if (TEXTS.has(extension)) return { file, text };
  throw new CheckpointConfigError(
    "INVALID_ARGUMENT",
    `${file} is no file that describes a pipeline: its name ends in ${extension || "nothing"}.`,
    {
      details: { file },
      suggestions: [
        "A pipeline is described in a file that ends in .yaml, .yml, .json, .ts, .mts, .js or .mjs.",
        `To look into a checkpoint: ckpt inspect ${file}`,
      ],
    },
  );
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch {
    // Opened as a source, for its errors: what is wrong, and files of similar names.
    const source = await fileSource(file);
    await source.close?.();
    throw new CheckpointNotFoundError("NOT_FOUND", `${file} could not be read.`);
  }
}

/** What a program exports as default. jiti runs TypeScript on every Node that we support, and finds modules as Node does. */
async function defaultExport(file: string): Promise<unknown> {
  const path = resolve(file);
  await readText(path);
  const { createJiti } = await import("jiti");
  const jiti = createJiti(pathToFileURL(path).href, { fsCache: false, interopDefault: true });
  try {
    return await jiti.import(path, { default: true });
  } catch (cause) {
    if (cause instanceof CheckpointError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CheckpointConfigError("CONFIG_SYNTAX", `${file} could not be run: ${why}`, {
      details: { file },
      suggestions: /Cannot find (?:module|package) '@ckptkit\//.test(why) ? ["npm install --save-dev @ckptkit/catalog"] : [],
      cause,
    });
  }
}
