import type { ByteSink } from "./byte-sink.js";
import type { ByteSource } from "./byte-source.js";
import type { Kernels } from "./kernels.js";
import type { SignalOptions } from "./progress.js";

/** What an adapter (Node, browser) gives to everything above it. */
export interface Platform {
  /** Opens a path or address for reading. @throws {CheckpointNotFoundError} NOT_FOUND */
  open(uri: string, options?: SignalOptions): Promise<ByteSource>;
  /** Opens a path or address for writing; nothing shows there before `commit`. */
  create(uri: string): Promise<ByteSink>;
  /** The fastest kernels that run here. */
  kernels(): Promise<Kernels>;
}
