import { type ByteSource, finish, type Limits } from "@ckptkit/core";
import { movedBytes } from "../edit/file-edit.js";
import { type JsonMember, objectText, readJsonText } from "../edit/json-text.js";
import {
  changedMembers,
  type MetadataEdit,
  type MetadataOptions,
  type MetadataPlace,
  type MetadataValues,
} from "../edit/metadata-place.js";
import { replaceMember } from "../zip/replace-member.js";
import { ANEMOI_FOLDER, ANEMOI_RECORDS, anemoiRecord, readAnemoiRecord } from "./anemoi-records.js";
import { isTorchScript, openTorchArchive } from "./torch-archive.js";

/** Bytes of other records that are moved in place, and kept until that is done. */
const MOST_MOVED_BYTES = 64 * 1024 * 1024;

/**
 * The record of an archive of torch in which anemoi keeps metadata: `anemoi.json`, or `ai-models.json` in archives that have only that. Tensors are
 * not moved: the record is written over the archive's directory, and a new directory behind it.
 *
 * @throws {CheckpointLoadError} ZIP_*, UNSUPPORTED_FORMAT, METADATA_CORRUPT, LIMIT_EXCEEDED
 * @see https://github.com/ecmwf/anemoi-utils, anemoi.utils.checkpoints
 */
export async function torchMetadataPlace(source: ByteSource, limits: Limits, options: MetadataOptions = {}): Promise<MetadataPlace> {
  const opened = await finish(openTorchArchive(source, limits, options));
  const name = ANEMOI_RECORDS.find((record) => anemoiRecord(opened, record)) ?? ANEMOI_RECORDS[0];
  const entry = anemoiRecord(opened, name);
  const place = entry?.name ?? `${opened.root}/${ANEMOI_FOLDER}/${name}`;
  const before = entry && (await finish(readAnemoiRecord(opened, entry, limits, options)));
  return {
    format: isTorchScript(opened) ? "torchscript" : "torch-zip",
    place,
    exists: entry !== undefined,
    metadata: before?.value ?? {},
    edit: async (changes) =>
      editOf(source, place, changedMembers(before?.members ?? [], changes), { limits, options, storages: `${opened.root}/data/` }),
  };
}

async function editOf(
  source: ByteSource,
  place: string,
  members: readonly JsonMember[],
  { limits, options, storages }: { limits: Limits; options: MetadataOptions; storages: string },
): Promise<MetadataEdit> {
  const text = objectText(members, false);
  const edit = await replaceMember(source, place, new TextEncoder().encode(text), limits, options);
  const moved = movedBytes(edit);
  const tensors = edit.moved.filter(({ name }) => name.startsWith(storages)).length;
  const obstacle =
    tensors > 0
      ? `The record ${place} would no longer fit between the tensors: ${tensors} of them stand behind it.`
      : moved > MOST_MOVED_BYTES
        ? `The record ${place} would no longer fit between the others: ${moved} bytes behind it would have to move.`
        : undefined;
  const { value } = readJsonText(text, `The record ${place}`, "METADATA_CORRUPT", limits);
  return { metadata: value as MetadataValues, inPlace: edit, obstacle, rewritten: edit }; // the text is an object
}
