import { type Checkpoint, memorySink, memorySource } from "@ckptkit/core";
import { openCheckpoint } from "@ckptkit/formats";
import { readFixture } from "@ckptkit/testkit/node";

/** Opens a fixture from memory, its shards included. */
export async function openFixture(file: string): Promise<Checkpoint> {
  return openBytes(await readFixture(file), file);
}

/** Opens bytes as a file of this name. */
export function openBytes(bytes: Uint8Array, name: string): Promise<Checkpoint> {
  return openCheckpoint(memorySource(bytes, name), { openSibling: async (sibling) => memorySource(await readFixture(sibling), sibling) });
}

/** Sinks that keep what was committed, by name, and count what was not. */
export function memoryFolder() {
  const sinks = new Map<string, ReturnType<typeof memorySink>>();
  return {
    create: async (name: string) => {
      const sink = memorySink(name);
      sinks.set(name, sink);
      return sink;
    },
    /** Names of the files that were committed. */
    names: () => [...sinks].filter(([, sink]) => sink.bytes).map(([name]) => name),
    bytes: (name: string): Uint8Array => {
      const bytes = sinks.get(name)?.bytes;
      if (!bytes) throw new Error(`${name} was not committed`);
      return bytes;
    },
    open: (name: string): Promise<Checkpoint> =>
      openCheckpoint(memorySource(sinks.get(name)?.bytes ?? new Uint8Array(0), name), {
        openSibling: async (sibling) => memorySource(sinks.get(sibling)?.bytes ?? new Uint8Array(0), sibling),
      }),
  };
}

/** Rows by their path, in order: two tensors may share one. */
export function byPath<Row extends { path: string }>(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) groups.set(row.path, [...(groups.get(row.path) ?? []), row]);
  return groups;
}
