import {
  type ByteSink,
  CheckpointConfigError,
  CheckpointValidationError,
  type EditableFile,
  formatSize,
  type Json,
  type Limits,
  type OperationOptions,
  similarNames,
} from "@ckptkit/core";
import { copyEdited, EDITABLE_FORMATS, type MetadataEdit, type MetadataPlace, openMetadata, patchesOf } from "@ckptkit/formats";
import { type MetadataReport, readMetadata } from "./read-metadata.js";

/** What to change in a file's metadata. */
export interface MetadataUpdate {
  /** Values to set by key. safetensors holds strings: other values become their JSON there. */
  set?: { readonly [key: string]: Json } | undefined;
  /** Keys to take away; they must be there. */
  remove?: readonly string[] | undefined;
}

/** How to change metadata. */
export interface EditMetadataOptions extends OperationOptions {
  limits?: Partial<Limits> | undefined;
  /** Opens a new file in the place of the old one, for changes that cannot be made in place; without it they are refused. */
  rewrite?: (() => Promise<ByteSink>) | undefined;
}

/** What a change of metadata did. */
export interface MetadataEditReport extends MetadataReport {
  /** `unchanged` when everything was so before. */
  how: "in place" | "rewritten" | "unchanged";
  set: string[];
  removed: string[];
  bytesWritten: number;
}

/**
 * Changes the metadata of a safetensors file or an archive of torch without writing the bytes of its tensors: in the room of the header, or in a
 * record behind the tensors. All or nothing, also when the process is killed. Does not close the file, whose source is not to be read afterwards.
 *
 * @throws {CheckpointValidationError} METADATA_NO_ROOM when it does not fit and `rewrite` was not given; METADATA_FIXED for other formats
 * @throws {CheckpointConfigError} INVALID_ARGUMENT for a key that is not there, or text that the format cannot hold
 * @throws {CheckpointSourceError} UNFINISHED_EDIT, ACCESS_DENIED, NO_SPACE, WRITE_FAILED
 * @example
 * const file = await editableFile("model.safetensors");
 * await editMetadata(file, { set: { license: "apache-2.0" }, remove: ["comment"] });
 * await file.close();
 */
export async function editMetadata(
  file: EditableFile,
  update: MetadataUpdate,
  options: EditMetadataOptions = {},
): Promise<MetadataEditReport> {
  const { source } = file;
  const place = await openMetadata(source, options);
  if (!place) throw fixed(await readMetadata(source, options));
  const set = new Map(Object.entries(update.set ?? {}).filter(([key, value]) => isNew(place, key, value)));
  const removed = [...new Set(update.remove ?? [])];
  checkUpdate(place, update, removed);
  const report = { uri: source.name, format: place.format, place: place.place, set: [...set.keys()], removed };
  if (set.size === 0 && removed.length === 0) return { ...report, metadata: place.metadata, how: "unchanged", bytesWritten: 0 };
  const edit = await place.edit({ set, remove: new Set(removed) });
  options.signal?.throwIfAborted();
  if (edit.obstacle === undefined) {
    const { patches, size } = await patchesOf(edit.inPlace, source, options);
    options.signal?.throwIfAborted();
    await file.patch(patches, size);
    const bytesWritten = patches.reduce((sum, { bytes }) => sum + bytes.length, 0);
    return { ...report, metadata: edit.metadata, how: "in place", bytesWritten };
  }
  if (!options.rewrite) throw noRoom(source.name, source.size, edit);
  const sink = await options.rewrite();
  try {
    await copyEdited(edit.rewritten, source, sink, options);
    await sink.commit();
  } catch (error) {
    await sink.abort();
    throw error;
  }
  return { ...report, metadata: edit.metadata, how: "rewritten", bytesWritten: sink.position };
}

/** Whether a value is another than the one that is there. */
function isNew({ metadata }: MetadataPlace, key: string, value: Json): boolean {
  return !Object.hasOwn(metadata, key) || JSON.stringify(metadata[key]) !== JSON.stringify(value);
}

/** @throws {CheckpointConfigError} INVALID_ARGUMENT */
function checkUpdate({ metadata, format }: MetadataPlace, { set = {} }: MetadataUpdate, removed: readonly string[]): void {
  const keys = Object.keys(metadata);
  for (const key of removed) {
    if (Object.hasOwn(set, key)) throw unusable(`The key ${JSON.stringify(key)} is to be set and to be removed.`, []);
    if (Object.hasOwn(metadata, key)) continue;
    const similar = similarNames(key, keys);
    throw unusable(`The metadata have no key ${JSON.stringify(key)}; nothing was changed.`, [
      ...similar.map((name) => `Did you mean ${JSON.stringify(name)}?`),
      keys.length > 0 ? `Keys that are there: ${keys.slice(0, 20).join(", ")}${keys.length > 20 ? " ..." : ""}` : "There are none at all.",
    ]);
  }
  if (format !== "safetensors") return;
  for (const [key, value] of Object.entries(set)) {
    if (key.isWellFormed() && (typeof value !== "string" || value.isWellFormed())) continue;
    throw unusable(`The value of ${JSON.stringify(key)} has half of a surrogate pair, which safetensors cannot hold.`, []);
  }
}

const unusable = (message: string, suggestions: string[]): CheckpointConfigError =>
  new CheckpointConfigError("INVALID_ARGUMENT", message, { suggestions });

const fixed = ({ uri, format }: MetadataReport): CheckpointValidationError =>
  new CheckpointValidationError("METADATA_FIXED", `${uri} is of the format ${format}, whose metadata cannot be changed in its place.`, {
    details: { format, editable: EDITABLE_FORMATS },
    suggestions: [
      `Formats whose metadata can be changed: ${EDITABLE_FORMATS.join(", ")}.`,
      "Convert it with ckpt convert, and change the metadata of what comes out.",
    ],
  });

function noRoom(name: string, size: number, { obstacle = "", missingBytes }: MetadataEdit): CheckpointValidationError {
  return new CheckpointValidationError("METADATA_NO_ROOM", `The metadata of ${name} cannot be changed in place. ${obstacle}`, {
    details: { size, ...(missingBytes === undefined ? {} : { missingBytes }) },
    suggestions: [
      `Write the file anew, all ${formatSize(size)} of it: --rewrite on the command line, the option rewrite in code. It gets room for later changes.`,
      ...(missingBytes === undefined ? [] : [`Or shorten or remove values by ${missingBytes} bytes.`]),
    ],
  });
}
