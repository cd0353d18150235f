import {
  type ByteSource,
  CheckpointNotFoundError,
  type CheckpointSourceError,
  countSource,
  memorySink,
  memorySource,
  type Platform,
} from "@ckptkit/core";
import { jsKernels } from "@ckptkit/wasm/js";

/** A platform whose files are in memory. */
export interface MemoryPlatform extends Platform {
  readonly files: Map<string, Uint8Array>;
  /** Bytes read so far from all files together. */
  readonly bytesRead: () => number;
}

/** Makes a platform of files in memory; writing to a name that `refuse` knows fails as it says. */
export function memoryPlatform(
  files: Readonly<Record<string, Uint8Array>> = {},
  refuse: Readonly<Record<string, CheckpointSourceError>> = {},
): MemoryPlatform {
  const stored = new Map(Object.entries(files));
  const opened: ReturnType<typeof countSource>[] = [];
  return {
    files: stored,
    bytesRead: () => opened.reduce((sum, { counts }) => sum + counts.bytesRead, 0),
    async open(uri): Promise<ByteSource> {
      const bytes = stored.get(uri);
      if (!bytes) throw new CheckpointNotFoundError("NOT_FOUND", `There is no ${uri}.`);
      const source = countSource(memorySource(bytes, uri));
      opened.push(source);
      return source;
    },
    async create(uri) {
      const refused = refuse[uri];
      if (refused) throw refused;
      const sink = memorySink(uri);
      return {
        ...sink,
        get position() {
          return sink.position;
        },
        async commit() {
          await sink.commit();
          if (sink.bytes) stored.set(uri, sink.bytes);
        },
      };
    },
    kernels: async () => jsKernels(),
  };
}
