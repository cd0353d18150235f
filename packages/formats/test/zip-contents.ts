import { type ByteSource, withLimits } from "@ckptkit/core";
import { codeOf, expectSameBytes, patternBytes } from "@ckptkit/testkit";
import { openZip } from "../src/zip/archive.js";
import { text } from "./sparse-source.js";
import { type ArchiveOptions, buildZip, bytesOf, type Member } from "./zip-builder.js";

export const one: Member = { name: "a/one", data: text("first member") };
export const two: Member = { name: "a/two", data: patternBytes(3000) };

/** Reads all members of an archive, at once and one by one; gives them and the rules of its findings. */
export async function contents(source: ByteSource): Promise<{ members: Record<string, Uint8Array>; rules: string[] }> {
  const archive = await openZip(source, withLimits());
  const findings = [...archive.findings];
  const entries = [...archive.entries.values()];
  const bytes = await archive.readAll(entries, findings);
  const members = Object.fromEntries(entries.map(({ name }, index) => [name, bytes[index] ?? new Uint8Array(0)]));
  for (const entry of entries) expectSameBytes(await bytesOf(archive.source(entry)), members[entry.name] ?? new Uint8Array(0));
  return { members, rules: findings.map(({ rule }) => rule) };
}

/** The code of the error that reading an archive ends in. */
export const codeOfZip = (members: readonly Member[], options?: ArchiveOptions): Promise<string> =>
  codeOf(contents(buildZip(members, options)));
