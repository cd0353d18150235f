import { type ByteSource, type CreateSink, type MemorySink, memorySink, memorySource } from "@ckptkit/core";

/** Files that writers made in memory. */
export interface Written {
  create: CreateSink;
  sinks: Map<string, MemorySink>;
  /** A committed file. */
  source(name: string): ByteSource;
  /** Names of the files that can be seen. */
  visible(): string[];
}

/** @param failAt the write, counted over all files from 0, that fails. */
export function memoryFiles(failAt = -1): Written & { writes: number } {
  const sinks = new Map<string, MemorySink>();
  const files = {
    sinks,
    writes: 0,
    create: async (name: string) => {
      const sink = memorySink(name);
      sinks.set(name, sink);
      const write = sink.write.bind(sink);
      sink.write = async (bytes) => {
        if (files.writes++ === failAt) throw new Error("the disk is full");
        await write(bytes);
      };
      return sink;
    },
    source(name: string) {
      const bytes = sinks.get(name)?.bytes;
      if (!bytes) throw new Error(`${name} was not written.`);
      return memorySource(bytes, name);
    },
    visible: () => [...sinks].filter(([, { bytes }]) => bytes).map(([name]) => name),
  };
  return files;
}
