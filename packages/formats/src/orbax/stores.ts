import type { Finding, Limits, OpenOptions } from "@ckptkit/core";
import { MANIFEST, OcdbtDatabase } from "../ocdbt/database.js";
import { folderStore, type KeyStore } from "../zarr/store.js";

/** Processes whose databases are looked for where they were not merged. */
const MOST_PROCESSES = 10_000;

/**
 * Where the arrays of an item are: in an OCDBT database, or in folders of their own.
 *
 * @param folder the item's own, with "/" at its end; "" for that of the file in hand.
 * @param findings gets `orbax-not-merged` where each process left a database and nobody put them together.
 * @throws {CheckpointLoadError} OCDBT_CORRUPT, COMPRESSION_CORRUPT
 */
export async function arrayStore(
  folder: string,
  usesOcdbt: boolean | undefined,
  name: string,
  limits: Limits,
  findings: Finding[],
  options: OpenOptions,
): Promise<KeyStore> {
  const files = folderStore(options, name, folder);
  if (usesOcdbt === false) return files;
  const database = await OcdbtDatabase.open(files, limits, options);
  if (database) return database;
  const processes: OcdbtDatabase[] = [];
  while (processes.length < MOST_PROCESSES) {
    const below = `${folder}ocdbt.process_${processes.length}/`;
    const one = await OcdbtDatabase.open(folderStore(options, name, below), limits, options);
    if (!one) break;
    processes.push(one);
  }
  if (processes.length === 0) return files;
  findings.push({
    rule: "orbax-not-merged",
    severity: "warning",
    message: `There is no ${MANIFEST}: ${processes.length} processes have saved their parts, and saving was cut off before they were merged. All that is there is shown.`,
  });
  return allOf(processes, name);
}

/** Several stores as one: the first that has a key has its value. */
const allOf = (stores: readonly KeyStore[], name: string): KeyStore => ({
  name,
  async open(key, options) {
    for (const store of stores) {
      const value = await store.open(key, options);
      if (value) return value;
    }
    return undefined;
  },
  list: async () => undefined,
  async close() {
    await Promise.all(stores.map((store) => store.close?.()));
  },
});
