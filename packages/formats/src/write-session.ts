import type { ByteSink, Bytes, CreateSink, OperationOptions } from "@ckptkit/core";

/** What every writer takes. */
export interface WriteOptions extends OperationOptions {
  /** Name of the output file; shards and index get names derived from it. */
  fileName: string;
  /** Memory that tensor bytes pass through, best of the kernels' own. */
  buffer: Bytes;
  /** Runs when every byte is written and nothing is visible yet: a last chance to refuse. */
  beforeCommit?: (() => Promise<void>) | undefined;
}

/** What a writer wrote. */
export interface WriteResult {
  files: { name: string; byteLength: number }[];
  /** Tied tensors that the format stores once: dropped name -> kept name. */
  ties: Map<string, string>;
}

/**
 * Opens sinks, and at the end commits all of them, in the order in which they were opened, or none.
 *
 * @param write gets `open`, which creates a sink that this session looks after.
 */
export async function writeSession(
  create: CreateSink,
  options: Pick<WriteOptions, "beforeCommit" | "signal">,
  write: (open: CreateSink) => Promise<void>,
): Promise<{ name: string; byteLength: number }[]> {
  const sinks: { name: string; sink: ByteSink }[] = [];
  try {
    await write(async (name) => {
      const sink = await create(name);
      sinks.push({ name, sink });
      return sink;
    });
    await options.beforeCommit?.();
    options.signal?.throwIfAborted();
    for (const { sink } of sinks) await sink.commit();
  } catch (error) {
    await Promise.allSettled(sinks.map(({ sink }) => sink.abort()));
    throw error;
  }
  return sinks.map(({ name, sink }) => ({ name, byteLength: sink.position }));
}
