/** One report of a long operation's progress. */
export interface Progress {
  /** What is being done, one word: `read`, `scan`, `hash`, `convert`. */
  phase: string;
  /** Units finished so far. For bytes and items alike, `done` never exceeds `total`. */
  done: number;
  /** Units in all. */
  total: number;
  /** The tensor, shard or stage in work. */
  item?: string;
}

/** What every operation that can take over a second accepts. */
export interface OperationOptions {
  /** Stops the operation: it rejects with the signal's reason and leaves nothing half-written. */
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** What every single read or write accepts. */
export interface SignalOptions {
  signal?: AbortSignal | undefined;
}
