import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { FixtureEntry } from "../fixture-types.js";
import { inRepository } from "./root.js";

/** A fixture on this machine. */
export interface Fixture extends FixtureEntry {
  /** Absolute path of the file. */
  readonly path: string;
}

let all: readonly Fixture[] | undefined;

/**
 * Every fixture of the repository, or those of some formats.
 *
 * @example it.each(fixtures("safetensors"))("reads $file", async ({ path, truth }) => { ... });
 */
export function fixtures(...formats: readonly FixtureEntry["format"][]): readonly Fixture[] {
  if (!all) {
    // The generator wrote it: its shape is that of FixtureEntry.
    const manifest = JSON.parse(readFileSync(inRepository("fixtures/files/manifest.json"), "utf8")) as { fixtures: FixtureEntry[] };
    all = manifest.fixtures.map((entry) => ({ ...entry, path: inRepository(`fixtures/files/${entry.file}`) }));
  }
  return formats.length === 0 ? all : all.filter((entry) => formats.includes(entry.format));
}

/** The fixture with this file name. Throws when there is none. */
export function fixture(file: string): Fixture {
  const found = fixtures().find((entry) => entry.file === file);
  if (!found)
    throw new Error(
      `There is no fixture "${file}". There are: ${fixtures()
        .map((entry) => entry.file)
        .join(", ")}`,
    );
  return found;
}

/** All bytes of a fixture, or of a part of one such as a shard. */
export async function readFixture(file: string): Promise<Uint8Array<ArrayBuffer>> {
  // A copy: Node gives small files as views of a pool that they share with others.
  return new Uint8Array(await readFile(inRepository(`fixtures/files/${file}`)));
}
