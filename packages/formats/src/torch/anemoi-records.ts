import {
  CheckpointError,
  CheckpointLoadError,
  checkLimit,
  type Finding,
  type Json,
  type Limits,
  type Reading,
  type SignalOptions,
} from "@ckptkit/core";
import { type JsonText, readJsonText } from "../edit/json-text.js";
import type { ZipEntry } from "../zip/directory.js";
import type { TorchArchive } from "./torch-archive.js";

/**
 * Names of the records in which anemoi keeps metadata, the newer first. They are known by these names alone, whichever folder they are in.
 *
 * @see https://github.com/ecmwf/anemoi-utils, anemoi.utils.checkpoints, DEFAULT_NAME; before, https://github.com/ecmwf-lab/ai-models
 */
export const ANEMOI_RECORDS = ["anemoi.json", "ai-models.json"] as const;

/** The folder of these records, under the archive's root. */
export const ANEMOI_FOLDER = "anemoi-metadata";

/** Rule of the finding that such a record could not be read. */
const RULE = "anemoi-metadata";

/** The record of one of {@link ANEMOI_RECORDS}; undefined when the archive has none. */
export function anemoiRecord({ archive, root }: TorchArchive, name: string): ZipEntry | undefined {
  const preferred = archive.entries.get(`${root}/${ANEMOI_FOLDER}/${name}`);
  if (preferred) return preferred;
  for (const entry of archive.entries.values()) if (entry.name.startsWith(`${root}/`) && entry.name.endsWith(`/${name}`)) return entry;
  return undefined;
}

/**
 * The JSON of a record.
 *
 * @throws {CheckpointLoadError} METADATA_CORRUPT, LIMIT_EXCEEDED, ZIP_CORRUPT
 */
export function* readAnemoiRecord(
  { archive, findings }: TorchArchive,
  entry: ZipEntry,
  limits: Limits,
  options?: SignalOptions,
): Reading<JsonText & { value: { readonly [key: string]: Json } }> {
  const what = `The record ${entry.name} of ${archive.name}`;
  checkLimit(limits, "headerBytes", entry.byteLength, what);
  const [bytes = new Uint8Array(0)] = yield* archive.readingAll([entry], findings, options);
  const { value, members } = readJsonText(new TextDecoder().decode(bytes.slice()), what, "METADATA_CORRUPT", limits);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new CheckpointLoadError("METADATA_CORRUPT", `${what} is not a JSON object.`, { details: { record: entry.name } });
  }
  return { value: value as { readonly [key: string]: Json }, members }; // an object that is no list
}

/** What all such records say, by their names. One that cannot be read is a finding: the tensors do not depend on it. */
export function* readAnemoiMetadata(opened: TorchArchive, limits: Limits, options?: SignalOptions): Reading<{ [record: string]: Json }> {
  const metadata: { [record: string]: Json } = {};
  for (const name of ANEMOI_RECORDS) {
    const entry = anemoiRecord(opened, name);
    if (!entry) continue;
    try {
      metadata[name] = (yield* readAnemoiRecord(opened, entry, limits, options)).value;
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      const finding: Finding = { rule: RULE, severity: "warning", message: `${error.code}: ${error.message}`, at: entry.name };
      opened.findings.push(finding);
    }
  }
  return metadata;
}
