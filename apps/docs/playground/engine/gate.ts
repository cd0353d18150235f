import { type ByteSource, type Pauser, readInto, type SignalOptions } from "@ckptkit/core";

/** The switches of running tasks, by the signal that all reads of a task carry. */
const pausers = new WeakMap<AbortSignal, Pauser>();

/** Makes the reads that carry `signal` wait while `pauser` holds them. */
export function holdReads(signal: AbortSignal, pauser: Pauser): void {
  pausers.set(signal, pauser);
}

/**
 * A source whose reads wait while their task is paused. Which task a read belongs to is told by its signal, so that the view of one tensor
 * goes on while a scan of the same file stands still.
 */
export function gatedSource(source: ByteSource): ByteSource {
  const pass = async ({ signal }: SignalOptions): Promise<void> => {
    if (!signal) return;
    await pausers.get(signal)?.wait({ signal });
    signal.throwIfAborted();
  };
  return {
    size: source.size,
    name: source.name,
    version: source.version,
    address: source.address,
    descriptor: () => source.descriptor?.(),
    close: async () => source.close?.(),
    async read(start, end, options = {}) {
      await pass(options);
      return source.read(start, end, options);
    },
    async readInto(target, start, options = {}) {
      await pass(options);
      return readInto(source, target, start, options);
    },
  };
}
