import { type ByteSource, readInto, type SignalOptions } from "@ckptkit/core";

/** Lets reads through, or holds them back while a task is paused. */
export class Gate {
  #opened: Promise<void> | undefined;
  #open: (() => void) | undefined;

  get closed(): boolean {
    return this.#opened !== undefined;
  }

  /** Holds everything that comes after. */
  close(): void {
    if (this.#opened) return;
    this.#opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  open(): void {
    this.#open?.();
    this.#open = undefined;
    this.#opened = undefined;
  }

  /** Resolves at once when open, else when it opens. */
  async pass(): Promise<void> {
    while (this.#opened) await this.#opened;
  }
}

/** The gates of running tasks, by the signal that all reads of a task carry. */
const gates = new WeakMap<AbortSignal, Gate>();

/** Makes the reads that carry `signal` wait at `gate`. */
export function holdReads(signal: AbortSignal, gate: Gate): void {
  gates.set(signal, gate);
}

/**
 * A source whose reads wait while their task is paused. Which task a read belongs to is told by its signal, so that the view of one tensor
 * goes on while a scan of the same file stands still.
 */
export function gatedSource(source: ByteSource): ByteSource {
  const pass = async ({ signal }: SignalOptions): Promise<void> => {
    if (!signal) return;
    await gates.get(signal)?.pass();
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
