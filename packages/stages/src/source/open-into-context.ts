import { type ByteSource, type Checkpoint, CheckpointConfigError, type Json, type SourceVersion } from "@ckptkit/core";
import type { CheckpointContext, StageOptions } from "@ckptkit/core/pipeline";
import { openUri, openUriSync } from "@ckptkit/formats";

/** Opens one file: the checkpoint's own, or a shard beside it. */
export type OpenFile = (address: string, isShard: boolean) => Promise<ByteSource>;

/** What a source tells of the file that it opened. */
export interface OpenedFile {
  /** Name for people, without credentials. */
  readonly name: string;
  readonly address: string | undefined;
  readonly version: SourceVersion | undefined;
}

/**
 * Opens a checkpoint, with its shards, and puts it into the context together with what the source records of it. Its tensors
 * are not read.
 *
 * @param describe the metadata entries of the source, beside those of the version that was read.
 */
export async function openIntoContext(
  context: CheckpointContext,
  uri: string,
  openFile: OpenFile,
  describe: (file: OpenedFile) => { [key: string]: Json },
  { signal, onProgress }: StageOptions,
): Promise<CheckpointContext> {
  let file: OpenedFile | undefined;
  const open = async (address: string): Promise<ByteSource> => {
    const source = await openFile(address, file !== undefined);
    file ??= { name: source.name, address: source.address, version: source.version };
    return source;
  };
  const checkpoint = await openUri({ open }, uri, { kernels: context.kernels, signal, onProgress });
  const opened = file ?? { name: uri, address: undefined, version: undefined };
  return withCheckpoint(context, checkpoint, { ...describe(opened), ...versionEntries(opened.version) }, opened.name);
}

/** The error for a source that can only be waited for. */
export const asyncOnly = (stage: string, why: string): CheckpointConfigError =>
  new CheckpointConfigError("STAGE_ASYNC_ONLY", `The stage ${stage} can only run asynchronously: ${why}.`, {
    details: { stage },
    suggestions: ["Use execute() instead of executeSync()."],
  });

/** The same without waiting. `openFile` gives sources that can be read so. */
export function openIntoContextSync(
  context: CheckpointContext,
  uri: string,
  openFile: (address: string) => ByteSource,
  describe: (file: OpenedFile) => { [key: string]: Json },
): CheckpointContext {
  let name: string | undefined;
  const openSync = (address: string): ByteSource => {
    const source = openFile(address);
    name ??= source.name;
    return source;
  };
  const checkpoint = openUriSync({ openSync }, uri, { kernels: context.kernels });
  const opened = { name: name ?? uri, address: undefined, version: undefined };
  return withCheckpoint(context, checkpoint, describe(opened), opened.name);
}

/** A context with a checkpoint, and what is known of where it came from. */
export function withCheckpoint(
  context: CheckpointContext,
  checkpoint: Checkpoint,
  entries: { [key: string]: Json },
  name: string,
): CheckpointContext {
  // The name, not the address: that may hold a signature.
  return context.with({ checkpoint, checkpointPath: name, checkpointFormat: checkpoint.layout }).withMetadata(entries);
}

const versionEntries = ({ etag, revision, versionId }: SourceVersion = {}): { [key: string]: Json } => ({
  ...(etag !== undefined && { source_etag: etag }),
  ...(revision !== undefined && { source_revision: revision }),
  ...(versionId !== undefined && { source_version_id: versionId }),
});
