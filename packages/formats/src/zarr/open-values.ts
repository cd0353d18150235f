import { type ByteSource, CheckpointSourceError, readInto } from "@ckptkit/core";

/** Sources that are open at the same time. */
const MOST_OPEN = 16;

interface Value {
  readonly source: Promise<ByteSource | undefined>;
  /** Reads that are under way. */
  users: number;
}

/** Opens sources when they are read, and keeps only the last few of them open. */
export class OpenValues {
  /** The one that was not used for longest first. */
  readonly #values = new Map<string, Value>();
  #isClosed = false;

  /** Runs `use` on the source that `open` gives, or on that which is open under this key already. */
  async use<T>(key: string, open: () => Promise<ByteSource | undefined>, use: (source: ByteSource | undefined) => Promise<T>): Promise<T> {
    const value = this.#values.get(key) ?? { source: open(), users: 0 };
    this.#values.delete(key);
    this.#values.set(key, value);
    value.users++;
    try {
      return await use(await value.source);
    } catch (error) {
      // What failed is opened anew by the next.
      if (this.#values.get(key) === value) this.#values.delete(key);
      if (value.users === 1) await closeValue(value);
      throw error;
    } finally {
      value.users--;
      await this.#closeOldest();
    }
  }

  /** A source that is opened, and opened again, when it is read; undefined when there is none. */
  async lend(key: string, open: () => Promise<ByteSource | undefined>): Promise<ByteSource | undefined> {
    const first = await this.use(key, open, async (source) => source && { size: source.size, name: source.name });
    if (!first) return undefined;
    const again = async (): Promise<ByteSource> => {
      const source = await open();
      if (source?.size === first.size) return source;
      await source?.close?.();
      throw changed(first.name);
    };
    return {
      ...first,
      read: (start, end, options) => this.use(key, again, (source) => present(source, first.name).read(start, end, options)),
      readInto: (target, start, options) => this.use(key, again, (source) => readInto(present(source, first.name), target, start, options)),
      locate: async () => undefined,
    };
  }

  async #closeOldest(): Promise<void> {
    for (const [key, value] of this.#values) {
      if (this.#values.size <= MOST_OPEN && !this.#isClosed) return;
      if (value.users > 0) continue;
      this.#values.delete(key);
      await closeValue(value);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#closeOldest();
  }
}

const changed = (name: string): CheckpointSourceError =>
  new CheckpointSourceError("SOURCE_CHANGED", `${name} has changed, or is gone, since the checkpoint was opened.`, { details: { name } });

function present(source: ByteSource | undefined, name: string): ByteSource {
  if (!source) throw changed(name);
  return source;
}

const closeValue = async ({ source }: Value): Promise<void> => {
  const opened = await source.catch(() => undefined); // whoever asked for it was told
  await opened?.close?.();
};
