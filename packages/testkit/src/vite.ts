import type { FixtureEntry } from "./fixture-types.js";
import { unzip } from "./unzip.js";

declare global {
  interface ImportMeta {
    /** Vite's: the files themselves, or one lazy import a file. @see https://vite.dev/guide/features.html#glob-import */
    glob<T = unknown>(pattern: string, options: { query: string; import: "default"; eager: true }): Record<string, T>;
    glob<T = unknown>(pattern: string, options: { query: string; import: "default" }): Record<string, () => Promise<T>>;
  }
}

// Vite turns both into tables of imports; a file's bytes are fetched when it is asked for, and not before.
const FILES = import.meta.glob("../../../fixtures/files/*", { query: "?url&inline", import: "default" });
const MANIFEST = import.meta.glob("../../../fixtures/files/manifest.json", { query: "?raw", import: "default" });

async function load(table: Record<string, () => Promise<unknown>>, file: string): Promise<string> {
  const found = table[`../../../fixtures/files/${file}`];
  if (!found) throw new Error(`There is no fixture file "${file}".`);
  return String(await found());
}

/**
 * All bytes of a fixture or of a shard, in Node and in browsers alike: what tests that run everywhere read. Needs a bundler
 * with Vite's glob imports, as vitest has.
 *
 * @example const source = memorySource(await loadFixture("vit-tiny.ckpt"), "vit-tiny.ckpt");
 */
export async function loadFixture(file: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await (await fetch(await load(FILES, file))).arrayBuffer());
}

/**
 * The files of a folder that stands among the fixtures as one zip archive, by their paths in it.
 *
 * @example const files = await loadFolder("zarr-v2.zip");
 */
export async function loadFolder(file: string): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  return unzip(await loadFixture(file));
}

/** The manifest of the fixtures, in Node and in browsers alike. */
export async function loadManifest(): Promise<readonly FixtureEntry[]> {
  // The generator wrote it: its shape is that of FixtureEntry.
  return (JSON.parse(await load(MANIFEST, "manifest.json")) as { fixtures: FixtureEntry[] }).fixtures;
}
