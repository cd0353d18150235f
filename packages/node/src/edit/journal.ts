import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { BytePatch } from "@ckptkit/core";

/**
 * What is kept beside a file while it is changed in its place: the bytes that are about to be replaced. It is a line of JSON and these bytes behind
 * it. It is there, whole, before the first byte of the file changes, and goes when the last one is on the device.
 */
export interface Journal {
  /** Size of the file before the edit, and after it. */
  readonly sizeBefore: number;
  readonly sizeAfter: number;
  /** The bytes that were there. Those beyond the old end had none. */
  readonly old: readonly BytePatch[];
  /** SHA-256 of the bytes that take their place, for telling whether all of them came to be there. */
  readonly digestAfter: string;
  /** Bytes around the edit that it does not change: by them the file is known again. */
  readonly witness: { readonly start: number; readonly end: number; readonly digest: string };
}

interface Head {
  readonly ckptkitJournal: 1;
  readonly sizeBefore: number;
  readonly sizeAfter: number;
  readonly patches: readonly { readonly at: number; readonly bytes: number; readonly kept: number }[];
  readonly digestBefore: string;
  readonly digestAfter: string;
  readonly witness: Journal["witness"];
}

/** A journal as it was read. */
export interface ReadJournal extends Journal {
  /** How many bytes each patch of the edit has; more than were kept where it reaches beyond the old end. */
  readonly lengths: readonly number[];
}

/** Bytes of a line of JSON: an edit has a few patches. */
const NEWLINE = 10;

/** Where the journal of a file is: beside it, hidden. */
export const journalPath = (path: string): string => join(dirname(path), `.${basename(path).slice(0, 200)}.ckptkit-journal`);

/** SHA-256 of some bytes in hexadecimal. */
export const digestOf = (...parts: readonly Uint8Array[]): string => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
};

/** The bytes of a journal. */
export function encodeJournal(journal: Journal, patches: readonly BytePatch[]): Uint8Array {
  const { old, sizeBefore, sizeAfter, digestAfter, witness } = journal;
  const kept = old.map(({ bytes }) => bytes);
  const head: Head = {
    ckptkitJournal: 1,
    sizeBefore,
    sizeAfter,
    patches: old.map(({ at, bytes }, index) => ({ at, bytes: patches[index]?.bytes.length ?? 0, kept: bytes.length })),
    digestBefore: digestOf(...kept),
    digestAfter,
    witness,
  };
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), ...kept]);
}

/** Reads the journal of a file; undefined when there is none, or what is there is none. */
export function readJournal(path: string): ReadJournal | undefined {
  const from = journalPath(path);
  // Most files have none, and this is asked whenever one is opened.
  if (!statSync(from, { throwIfNoEntry: false })?.isFile()) return undefined;
  const bytes = readFileSync(from);
  try {
    const end = bytes.indexOf(NEWLINE);
    const head = JSON.parse(bytes.toString("utf8", 0, Math.max(0, end))) as Head; // its digest is compared below
    let at = end + 1;
    const old = head.patches.map((patch) => {
      const kept = bytes.subarray(at, at + patch.kept);
      at += patch.kept;
      return { at: patch.at, bytes: kept };
    });
    if (head.ckptkitJournal !== 1 || digestOf(...old.map((patch) => patch.bytes)) !== head.digestBefore) return undefined;
    const { sizeBefore, sizeAfter, digestAfter, witness } = head;
    return { sizeBefore, sizeAfter, old, digestAfter, witness, lengths: head.patches.map((patch) => patch.bytes) };
  } catch {
    return undefined;
  }
}
