import {
  type ByteSource,
  type Checkpoint,
  CheckpointLoadError,
  type FormatReader,
  finish,
  finishSync,
  type Json,
  type OpenOptions,
  type Reading,
  readStep,
} from "@ckptkit/core";
import { containerOf, ggmlSignature, MAGIC_BYTES } from "./signature.js";

const HEAD_BYTES = 8;

/** Names the containers that came before GGUF. */
export const ggmlReader: FormatReader = {
  ...ggmlSignature,
  open: openGgml,
  openSync: (source, options) => finishSync(readGgml(source, options)),
};

/**
 * Opens a file of the containers that came before GGUF (ggml, ggmf, ggjt, ggla) as far as it describes itself: which one it is, and its version.
 * What follows, settings, vocabulary and the description of the tensors, is laid down only in the program that reads the model, another one for each
 * architecture: the finding `ggml-not-read` says so, and no tensors are shown.
 *
 * @throws {CheckpointLoadError} UNSUPPORTED_FORMAT when it is none of them
 * @see https://github.com/ggml-org/ggml/blob/master/docs/gguf.md Historical State of Affairs
 * @example
 * const { metadata } = await openGgml(blobSource(file));
 * console.log(metadata.container); // "ggjt"
 */
export async function openGgml(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  return finish(readGgml(source, options));
}

function* readGgml(source: ByteSource, options: OpenOptions): Reading<Checkpoint> {
  const head = yield* readStep(source, 0, Math.min(HEAD_BYTES, source.size), options);
  const container = containerOf(head);
  if (!container) throw new CheckpointLoadError("UNSUPPORTED_FORMAT", `${source.name} does not begin as a ggml model does.`);
  const metadata: Record<string, Json> = { container: container.name };
  if (container.hasVersion && head.length >= HEAD_BYTES) {
    metadata.version = new DataView(head.buffer, head.byteOffset, head.byteLength).getUint32(MAGIC_BYTES, true);
  }
  const message =
    `This is a model in the container ${container.name}, which came before GGUF: where its tensors are is known only to the program ` +
    "that it was made for, so none are shown. Convert it with that program's own script (llama.cpp, whisper.cpp) to GGUF.";
  return {
    uri: source.name,
    format: "ggml",
    layout: "state_dict",
    byteLength: source.size,
    tensors: [],
    tree: { kind: "map", type: "dict", entries: [] },
    metadata,
    findings: [{ rule: "ggml-not-read", severity: "warning", message }],
    close: async () => source.close?.(),
  };
}
