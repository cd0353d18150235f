import { readFile } from "node:fs/promises";
import { CheckpointConfigError, type EditableFile, formatSize, type Json } from "@ckptkit/core";
import { editMetadata, type MetadataEditReport, type MetadataReport, type MetadataUpdate, readMetadata } from "@ckptkit/inspect/metadata";
import { nodePlatform, restoreEdit } from "@ckptkit/node";
import type { CommandContext, CommonFlags } from "../command-context.js";
import type { LimitFlags } from "../limit-option.js";
import { checkUri } from "../open.js";
import { EXIT } from "../output/errors.js";
import { writeJson } from "../output/json.js";
import { allMetadataText } from "../output/metadata.js";
import { printable } from "../output/printable.js";
import { showProgress } from "../output/progress.js";
import type { Screen } from "../output/screen.js";

/** What `ckpt metadata` takes. */
export interface MetadataFlags extends CommonFlags, LimitFlags {
  set?: readonly string[];
  setJson?: string;
  remove?: readonly string[];
  rewrite?: boolean;
  restore?: boolean;
}

/** Prints the metadata of a file, or changes them in their place. */
export async function metadata(uri: string, flags: MetadataFlags, context: CommandContext): Promise<number> {
  checkUri(uri);
  if (flags.restore) return restore(uri, flags, context);
  const { out, signal } = context;
  const how = { limits: flags.limit, signal };
  const platform = nodePlatform();
  if (!flags.set && flags.setJson === undefined && !flags.remove) {
    const source = await platform.open(uri, { signal });
    try {
      const report = await readMetadata(source, how);
      if (flags.json) writeJson(out, report);
      else writeMetadata(report, out);
      return EXIT.good;
    } finally {
      await source.close?.();
    }
  }
  const file = await platform.edit?.(uri, { signal });
  if (!file) return EXIT.unusable;
  const progress = showProgress(context.err);
  try {
    const update = await updateOf(flags, file, how);
    const rewrite = flags.rewrite ? () => platform.create(uri) : undefined;
    const report = await editMetadata(file, update, { ...how, rewrite, onProgress: progress.onProgress }).finally(progress.stop);
    if (flags.json) writeJson(out, report);
    else writeEdit(report, out);
    return EXIT.good;
  } finally {
    progress.stop();
    await file.close();
  }
}

/** What the options ask for. Values of --set are texts where the format holds nothing else, and JSON where it does and they are JSON. */
async function updateOf(
  { set = [], setJson, remove }: MetadataFlags,
  file: EditableFile,
  how: { signal: AbortSignal },
): Promise<MetadataUpdate> {
  const pairs = set.map(pairOf);
  const { format } = await readMetadata(file.source, how);
  const value = (text: string): Json => (format === "safetensors" ? text : jsonOr(text));
  const values = setJson === undefined ? {} : await readObject(setJson);
  return { set: Object.fromEntries([...Object.entries(values), ...pairs.map(([key, text]) => [key, value(text)] as const)]), remove };
}

/** @throws {CheckpointConfigError} INVALID_ARGUMENT */
function pairOf(text: string): [key: string, value: string] {
  const cut = text.indexOf("=");
  if (cut > 0) return [text.slice(0, cut), text.slice(cut + 1)];
  throw new CheckpointConfigError("INVALID_ARGUMENT", `--set ${text}: KEY=VALUE was expected.`, {
    suggestions: ['A key that holds "=" can be set with --set-json FILE.'],
  });
}

function jsonOr(text: string): Json {
  try {
    return JSON.parse(text) as Json; // what JSON.parse gives is JSON
  } catch {
    return text;
  }
}

/** @throws {CheckpointConfigError} INVALID_ARGUMENT where the file is not there, or holds something else than a JSON object */
async function readObject(path: string): Promise<{ [key: string]: Json }> {
  try {
    const value = JSON.parse(await readFile(path, "utf8")) as Json; // as above
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as { [key: string]: Json }; // no list
    throw new Error("it is not an object");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CheckpointConfigError("INVALID_ARGUMENT", `--set-json ${path}: a file with a JSON object was expected: ${why}.`, { cause });
  }
}

async function restore(uri: string, { json }: MetadataFlags, { out }: CommandContext): Promise<number> {
  const did = await restoreEdit(uri);
  const told = {
    nothing: "No change of it was cut off: nothing was done.",
    complete: "The change of it had come to its end, or had not begun: it is as it should be.",
    restored: "It is as it was before the change that was cut off.",
  }[did];
  if (json) writeJson(out, { uri, restored: did });
  else out.write(`${out.colors.bold(printable(uri))}\n  ${told}\n`);
  return EXIT.good;
}

function writeMetadata({ uri, format, place, metadata: values }: MetadataReport, screen: Screen): void {
  const { bold, dim } = screen.colors;
  screen.write(`${bold(printable(uri))}  ${format}${place === null ? "" : `, ${printable(place)}`}\n`);
  const text = allMetadataText(values, screen, 2);
  if (text !== "") screen.write(text);
  else screen.write(`  ${dim(place === null ? "It has no metadata." : "It has no metadata yet; --set KEY=VALUE makes some.")}\n`);
}

function writeEdit(report: MetadataEditReport, screen: Screen): void {
  const { green, dim } = screen.colors;
  const { how, set, removed, bytesWritten } = report;
  const done = [
    ...(set.length > 0 ? [`set ${set.map(printable).join(", ")}`] : []),
    ...(removed.length > 0 ? [`removed ${removed.map(printable).join(", ")}`] : []),
  ];
  if (how === "unchanged") screen.write(`${dim("everything was so already: nothing was written")}\n`);
  else {
    const where = how === "in place" ? "in place" : "by writing the file anew";
    screen.write(`${green(done.join("; "))} ${dim(`${where}, ${formatSize(bytesWritten)} written`)}\n`);
  }
  writeMetadata(report, screen);
}
