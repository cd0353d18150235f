import { type ByteSource, type Checkpoint, CheckpointError, CheckpointLoadError, type FormatReader, type OpenOptions } from "@ckptkit/core";

/** Bytes of a file's beginning that tell what it is. */
const HEAD_BYTES = 64 * 1024;

/**
 * Opens a checkpoint that is a member of an archive, with the first of these readers that knows it.
 *
 * @throws {CheckpointLoadError} UNSUPPORTED_FORMAT when none does, and what the reader throws
 */
export async function openMember(member: ByteSource, readers: readonly FormatReader[], options: OpenOptions): Promise<Checkpoint> {
  const head = await member.read(0, Math.min(HEAD_BYTES, member.size), options);
  let refusal: unknown = new CheckpointLoadError("UNSUPPORTED_FORMAT", `${member.name} is no file of torch.`);
  for (const reader of readers.filter((candidate) => candidate.matches({ head, size: member.size, name: member.name }))) {
    try {
      return await reader.open(member, options);
    } catch (error) {
      if (!(error instanceof CheckpointError) || error.code !== "UNSUPPORTED_FORMAT") throw error;
      refusal = error;
    }
  }
  throw refusal;
}
