import type { ByteSink } from "./byte-sink.js";
import type { ByteSource, Bytes } from "./byte-source.js";
import type { Checkpoint } from "./checkpoint.js";
import type { Kernels } from "./kernels.js";
import type { Limits } from "./limits.js";
import type { OperationOptions, SignalOptions } from "./progress.js";

/** What opening takes, whatever the format. */
export interface OpenOptions extends OperationOptions {
  limits?: Partial<Limits> | undefined;
  /**
   * `strict` refuses what a format's specification forbids; `compatible` (the default) accepts what its reference
   * implementation accepts and reports the rest as findings.
   */
  mode?: "strict" | "compatible" | undefined;
  kernels?: Kernels | undefined;
  /** Opens a file beside the one in hand, by its name relative to it: the shards of a sharded checkpoint. */
  openSibling?: ((name: string) => Promise<ByteSource>) | undefined;
  /** The same without waiting. */
  openSiblingSync?: ((name: string) => ByteSource) | undefined;
  /**
   * Names of what lies in a folder beside the file in hand, by its path with "/" at its end; "" for the folder that the file is in. Names of
   * folders end with "/". Undefined, or left out, where that cannot be told, as of web servers.
   */
  listSiblings?: ((folder: string) => Promise<readonly string[] | undefined>) | undefined;
}

/** The beginning of a file, from which formats are told apart. */
export interface Probe {
  /** The first 64 KiB, or the whole of a smaller file. */
  readonly head: Bytes;
  readonly size: number;
  /** File name, for formats without a magic number. Content decides where it can. */
  readonly name: string;
}

/** What a format is told by, apart from the code that reads it. */
export interface FormatSignature {
  /** Name of the format, as in `Checkpoint.format`. */
  readonly format: string;
  /** Bytes that are best read at a time, where a description lies about in the file in small pieces; left out where it stands together. */
  readonly blockBytes?: number;
  /** Whether the bytes look like this format. Pure. */
  matches(probe: Probe): boolean;
}

/** Reads one format. */
export interface FormatReader extends FormatSignature {
  /**
   * Reads the description and nothing more. The checkpoint owns the source from here on.
   *
   * @throws {CheckpointLoadError}
   */
  open(source: ByteSource, options: OpenOptions): Promise<Checkpoint>;
  /** The same for callers that cannot wait, from a source with `readSync`. Left out by readers that need to wait. */
  openSync?(source: ByteSource, options: OpenOptions): Checkpoint;
}

/** Opens the destination of one output file, by its name. */
export type CreateSink = (name: string) => Promise<ByteSink>;

/** A tensor on its way into a file: its description, and its contiguous little-endian bytes when they are asked for. */
export interface OutputTensor {
  /** Name in the output. */
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly byteLength: number;
  /** Outputs with the same key hold the same bytes, dtype and shape: tied tensors, which a writer stores once. */
  readonly tieKey: string;
  /** The bytes, piece by piece, each a whole number of elements, in `buffer` or in memory of the tensor's own. */
  chunks(buffer: Bytes, options?: SignalOptions): AsyncGenerator<Bytes, void, void>;
  /**
   * Fills `target` with the bytes from `start` on, both at element boundaries; several calls may run side by side. Left out where bytes can only
   * be had in their order.
   */
  fill?(target: Bytes, start: number, options?: SignalOptions): Promise<void>;
}
