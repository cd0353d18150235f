import type { Json, Limits, SignalOptions } from "@ckptkit/core";
import type { FileEdit } from "./file-edit.js";
import type { JsonMember } from "./json-text.js";

/** Values by key. */
export type MetadataValues = { readonly [key: string]: Json };

/** What to change. */
export interface MetadataChanges {
  /** Values to set, by key; those that are there already are replaced. */
  readonly set: ReadonlyMap<string, Json>;
  /** Keys to take away. */
  readonly remove: ReadonlySet<string>;
}

/** A changed file, in its place and as a new file. */
export interface MetadataEdit {
  /** The metadata afterwards. */
  readonly metadata: MetadataValues;
  /** The file with as few changes as there can be. */
  readonly inPlace: FileEdit;
  /** Why the change cannot be made in place, in one sentence; undefined when it can. */
  readonly obstacle?: string | undefined;
  /** Bytes that are missing where room is what is missing. */
  readonly missingBytes?: number | undefined;
  /** The same as a file that is written anew. */
  readonly rewritten: FileEdit;
}

/** The place in a file where metadata can be changed. */
export interface MetadataPlace {
  readonly format: string;
  /** `__metadata__`, or the name of a record. */
  readonly place: string;
  /** Whether the file has it; otherwise it is made with the first value. */
  readonly exists: boolean;
  readonly metadata: MetadataValues;
  edit(changes: MetadataChanges): Promise<MetadataEdit>;
}

/** How to open a place. */
export interface MetadataOptions extends SignalOptions {
  limits?: Partial<Limits> | undefined;
}

/** Members after the changes: those that are replaced keep their places, new ones come last. */
export function changedMembers(members: readonly JsonMember[], { set, remove }: MetadataChanges): JsonMember[] {
  const kept = members
    .filter(({ key }) => !remove.has(key))
    .map(({ key, raw }) => ({ key, raw: set.has(key) ? written(set.get(key)) : raw }));
  const there = new Set(kept.map(({ key }) => key));
  return [...kept, ...[...set].filter(([key]) => !there.has(key)).map(([key, value]) => ({ key, raw: written(value) }))];
}

const written = (value: Json | undefined): string => JSON.stringify(value ?? null);
