import { type FileHandle, open, realpath } from "node:fs/promises";
import {
  type BytePatch,
  type ByteSource,
  CheckpointConfigError,
  CheckpointSourceError,
  type EditableFile,
  type SignalOptions,
} from "@ckptkit/core";
import { fileError } from "../file-errors.js";
import { fileSource } from "../file-source.js";
import { localPath } from "../local-path.js";
import { type EditSteps, isTaken, REAL_STEPS } from "./file-system.js";
import { digestOf, encodeJournal, type Journal, journalPath, readJournal } from "./journal.js";
import { journalState, unfinishedEdit } from "./journal-state.js";

/** Bytes on either side of an edit by which the file is known again. */
const WITNESS_BYTES = 4096;

/**
 * Opens a file of this machine for changing it in its place. While a change is made, the bytes that it replaces are kept beside the file, in
 * `.NAME.ckptkit-journal`: a process that is killed leaves the old file, the new one, or a file that is refused by `UNFINISHED_EDIT` until
 * {@link restoreEdit} has put it back.
 *
 * @param path a path, where `~/` stands for the home folder, or a `file:` address; a symbolic link is followed.
 * @throws {CheckpointNotFoundError} NOT_FOUND
 * @throws {CheckpointSourceError} ACCESS_DENIED, NOT_A_FILE; UNFINISHED_EDIT
 * @example
 * const file = await editableFile("model.safetensors");
 * await file.patch([{ at: 8, bytes }], file.source.size);
 * await file.close();
 */
export async function editableFile(path: string | URL, options: SignalOptions & { steps?: EditSteps } = {}): Promise<EditableFile> {
  const { steps = REAL_STEPS } = options;
  const name = localPath(path);
  const source = await fileSource(name, options);
  // The end of a chain of links: all who edit the file must look for its journal in one place.
  const target = await realpath(name);
  return {
    source,
    async patch(patches, size) {
      checkPatches(patches, size, source);
      let handle: FileHandle | undefined;
      try {
        handle = await open(target, "r+");
        await applyPatches(target, handle, withCut(patches, size, source.size), size, source, steps);
      } catch (error) {
        throw fileError(error, name, "written");
      } finally {
        await handle?.close();
      }
    },
    close: async () => source.close?.(),
  };
}

/** @throws {CheckpointConfigError} INVALID_ARGUMENT */
function checkPatches(patches: readonly BytePatch[], size: number, source: ByteSource): void {
  let end = 0;
  for (const { at, bytes } of patches) {
    if (Number.isSafeInteger(at) && at >= end && at <= Math.max(source.size, end)) end = at + bytes.length;
    else throw unusable(`A patch at byte ${at} overlaps the one before it, or leaves a gap behind the file's end.`);
  }
  if (!Number.isSafeInteger(size) || size < end || size > Math.max(source.size, end)) {
    throw unusable(`The size after the patches is ${size}, which is not where the bytes end.`);
  }
}

/** Where the file becomes shorter, a patch without bytes stands for the part that is cut off. */
function withCut(patches: readonly BytePatch[], size: number, sizeBefore: number): readonly BytePatch[] {
  return size < sizeBefore ? [...patches, { at: size, bytes: new Uint8Array(0) }] : patches;
}

const unusable = (message: string): CheckpointConfigError => new CheckpointConfigError("INVALID_ARGUMENT", message);

/** Keeps the old bytes beside the file, changes it, and lets go of them. When that fails half-way, the old bytes are put back at once. */
async function applyPatches(
  path: string,
  handle: FileHandle,
  patches: readonly BytePatch[],
  size: number,
  source: ByteSource,
  steps: EditSteps,
): Promise<void> {
  const journal = await journalOf(patches, size, source);
  try {
    await steps.create(journalPath(path), encodeJournal(journal, patches));
  } catch (error) {
    if (isTaken(error)) throw unfinishedEdit(path);
    await steps.remove(journalPath(path));
    throw error;
  }
  try {
    // Refuses a file that was changed since it was opened. From here on the journal keeps others from changing it in its place.
    await source.read(0, Math.min(1, source.size));
  } catch (error) {
    await steps.remove(journalPath(path));
    throw error;
  }
  try {
    for (const { at, bytes } of patches) await steps.write(handle, bytes, at);
    if (endOf(patches, source.size) > size) await steps.truncate(handle, size);
    await steps.sync(handle);
  } catch (error) {
    await putBack(handle, journal, steps);
    await steps.remove(journalPath(path));
    throw error;
  }
  await steps.remove(journalPath(path));
}

const endOf = (patches: readonly BytePatch[], size: number): number => Math.max(size, ...patches.map(({ at, bytes }) => at + bytes.length));

async function journalOf(patches: readonly BytePatch[], sizeAfter: number, source: ByteSource): Promise<Journal> {
  const old: BytePatch[] = [];
  for (const { at, bytes } of patches) {
    const end = at === sizeAfter ? source.size : Math.min(at + bytes.length, source.size);
    old.push({ at, bytes: await source.read(Math.min(at, source.size), end) });
  }
  const first = patches[0]?.at ?? 0;
  const last = endOf(patches.slice(-1), 0);
  const before = { start: Math.max(0, first - WITNESS_BYTES), end: Math.min(first, source.size) };
  const after = { start: Math.min(last, source.size), end: Math.min(last + WITNESS_BYTES, source.size, sizeAfter) };
  const range = before.end - before.start >= 64 || after.end <= after.start ? before : after;
  const digest = digestOf(await source.read(range.start, range.end));
  return {
    sizeBefore: source.size,
    sizeAfter,
    old,
    digestAfter: digestOf(...patches.map(({ bytes }) => bytes)),
    witness: { ...range, digest },
  };
}

async function putBack(handle: FileHandle, { old, sizeBefore }: Journal, steps: EditSteps): Promise<void> {
  for (const { at, bytes } of old) await steps.write(handle, bytes, at);
  await steps.truncate(handle, sizeBefore);
  await steps.sync(handle);
}

/**
 * Puts a file back as it was before a change that was cut off. Does nothing where there is none. Not to be called while another process
 * changes the file.
 *
 * @returns what was there: nothing, a change that had come to its end or had not begun (which stays as it is), or one that was taken back.
 * @throws {CheckpointSourceError} SOURCE_CHANGED when what is beside the file is of another file; ACCESS_DENIED, WRITE_FAILED
 * @example if ((await restoreEdit("model.ckpt")) === "restored") console.log("as it was");
 */
export async function restoreEdit(
  path: string | URL,
  { steps = REAL_STEPS }: { steps?: EditSteps } = {},
): Promise<"nothing" | "complete" | "restored"> {
  const name = localPath(path);
  let handle: FileHandle | undefined;
  try {
    const target = await realpath(name);
    const journal = readJournal(target);
    if (!journal) {
      // One that is not whole: the file had not been touched.
      await steps.remove(journalPath(target));
      return "nothing";
    }
    handle = await open(target, "r+");
    const state = journalState(journal, handle.fd, (await handle.stat()).size);
    if (state === "stranger") throw ofAnotherFile(name, journalPath(target));
    if (state === "torn") await putBack(handle, journal, steps);
    await steps.remove(journalPath(target));
    return state === "torn" ? "restored" : "complete";
  } catch (error) {
    throw fileError(error, name, "written");
  } finally {
    await handle?.close();
  }
}

const ofAnotherFile = (path: string, journal: string): CheckpointSourceError =>
  new CheckpointSourceError("SOURCE_CHANGED", `${journal} is of another file than ${path}, or of what it was before it was replaced.`, {
    details: { path, journal },
    suggestions: ["Delete it, when the file is as it should be."],
  });
