import {
  type ByteSource,
  type Checkpoint,
  CheckpointLoadError,
  cacheSource,
  type FormatReader,
  type OpenOptions,
  type Probe,
} from "@ckptkit/core";
import { safetensorsReader } from "./safetensors/reader.js";
import { shardedSafetensorsReader } from "./safetensors/sharded.js";
import { torchLegacyReader } from "./torch/legacy-reader.js";
import { torchZipReader } from "./torch/zip-reader.js";

/** Every reader of this package, in the order in which they are asked. */
export const READERS: readonly FormatReader[] = [torchZipReader, torchLegacyReader, shardedSafetensorsReader, safetensorsReader];

/** Bytes read from either end to tell what a file is. Most headers and directories are within them. */
const PROBE_BYTES = 64 * 1024;

/** How to open: which formats to consider, besides what every reader takes. */
export interface OpenCheckpointOptions extends OpenOptions {
  /** Readers to choose from; all of this package when left out. */
  readers?: readonly FormatReader[];
}

/**
 * Opens a checkpoint of any known format, by its content. Reads the description only: for most files two reads of 64 KiB.
 * The checkpoint owns the source and closes it; when opening fails, it is closed as well.
 *
 * @throws {CheckpointLoadError} EMPTY_FILE, LFS_POINTER, UNKNOWN_FORMAT, and what the format's reader throws
 * @example
 * const checkpoint = await openCheckpoint(blobSource(file));
 * for (const tensor of checkpoint.tensors) console.log(tensor.path, tensor.dtype, tensor.shape);
 */
export async function openCheckpoint(source: ByteSource, options: OpenCheckpointOptions = {}): Promise<Checkpoint> {
  try {
    if (source.size === 0)
      throw new CheckpointLoadError("EMPTY_FILE", `${source.name} is empty: it has no bytes.`, { suggestions: ["Fetch the file again."] });
    const cached = cacheSource(source, { blockBytes: PROBE_BYTES });
    const head = await cached.read(0, Math.min(PROBE_BYTES, source.size), options);
    const probe: Probe = { head, size: source.size, name: source.name };
    const reader = (options.readers ?? READERS).find((candidate) => candidate.matches(probe));
    if (!reader) throw unknownFormat(probe);
    return await reader.open(cached, options);
  } catch (error) {
    await source.close?.();
    throw error;
  }
}

/** Beginnings of files that are often met in a checkpoint's place, and what they are. */
const STRANGERS: readonly { begins: string; what: string; suggestion?: string }[] = [
  { begins: "GGUF", what: "a GGUF model" },
  { begins: "\x89HDF\r\n\x1a\n", what: "an HDF5 file (Keras .h5)" },
  { begins: "\x93NUMPY", what: "a numpy array (.npy)" },
  { begins: "\x1f\x8b", what: "gzip-compressed", suggestion: "Unpack it first: gunzip." },
  { begins: "BZh", what: "bzip2-compressed", suggestion: "Unpack it first: bunzip2." },
  { begins: "\xfd7zXZ", what: "xz-compressed", suggestion: "Unpack it first: unxz." },
  { begins: "\x28\xb5\x2f\xfd", what: "zstd-compressed", suggestion: "Unpack it first: unzstd." },
  { begins: "7z\xbc\xaf\x27\x1c", what: "a 7-Zip archive", suggestion: "Unpack it first." },
  {
    begins: "<!DOCTYPE",
    what: "a web page",
    suggestion: "The address led to a page, for instance a log-in, and not to the file: check it.",
  },
  { begins: "<html", what: "a web page", suggestion: "The address led to a page, for instance a log-in, and not to the file: check it." },
];

function unknownFormat({ head, name, size }: Probe): CheckpointLoadError {
  const text = new TextDecoder("latin1").decode(head.slice(0, 512));
  if (text.startsWith("version https://git-lfs.github.com/spec/")) {
    const declared = /size (\d+)/.exec(text)?.[1];
    return new CheckpointLoadError(
      "LFS_POINTER",
      `${name} is a Git LFS pointer to a file${declared ? ` of ${declared} bytes` : ""}, not the file itself.`,
      {
        suggestions: ["Fetch the file with: git lfs pull"],
      },
    );
  }
  const stranger = STRANGERS.find(({ begins }) => text.toLowerCase().startsWith(begins.toLowerCase()));
  const begins = [...head.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return new CheckpointLoadError(
    "UNKNOWN_FORMAT",
    stranger
      ? `${name} is ${stranger.what}, which is not a checkpoint format that is read here.`
      : `${name} (${size} bytes, beginning with ${begins}) is of no checkpoint format that is known here.`,
    {
      details: { size, begins },
      suggestions: [
        ...(stranger?.suggestion ? [stranger.suggestion] : []),
        `Formats that are read: ${READERS.map(({ format }) => format).join(", ")}.`,
      ],
    },
  );
}
