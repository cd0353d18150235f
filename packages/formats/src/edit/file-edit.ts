import type { BytePatch, ByteSink, ByteSource, OperationOptions, SignalOptions } from "@ckptkit/core";

/** A part of an edited file: new bytes, or a range [start, end) of the file as it is. */
export type EditPart = Uint8Array | { readonly start: number; readonly end: number };

/** A file with some of its parts changed: what it consists of afterwards, one part behind the other. */
export interface FileEdit {
  readonly parts: readonly EditPart[];
}

/** An edit as changes in the file's place. */
export interface PatchPlan {
  readonly patches: readonly BytePatch[];
  /** Of the file afterwards. */
  readonly size: number;
}

const COPY_BYTES = 4 * 1024 * 1024;

const sizeOf = (part: EditPart): number => (part instanceof Uint8Array ? part.length : part.end - part.start);

/** Bytes that would have to move to another place of the file. */
export function movedBytes({ parts }: FileEdit): number {
  let at = 0;
  let moved = 0;
  for (const part of parts) {
    if (!(part instanceof Uint8Array) && part.start !== at) moved += sizeOf(part);
    at += sizeOf(part);
  }
  return moved;
}

/** Turns an edit into patches: ranges that stay where they are need none, those that move are read. */
export async function patchesOf(edit: FileEdit, source: ByteSource, options?: SignalOptions): Promise<PatchPlan> {
  const patches: BytePatch[] = [];
  let at = 0;
  for (const part of edit.parts) {
    if (part instanceof Uint8Array) patches.push({ at, bytes: part });
    else if (part.start !== at) patches.push({ at, bytes: await source.read(part.start, part.end, options) });
    at += sizeOf(part);
  }
  return { patches: patches.filter(({ bytes }) => bytes.length > 0), size: at };
}

/** Writes the edited file from its beginning to its end. */
export async function copyEdited(edit: FileEdit, source: ByteSource, sink: ByteSink, options: OperationOptions = {}): Promise<void> {
  const total = edit.parts.reduce((sum, part) => sum + sizeOf(part), 0);
  for (const part of edit.parts) {
    if (part instanceof Uint8Array) await sink.write(part);
    else {
      for (let at = part.start; at < part.end; at += COPY_BYTES) {
        options.signal?.throwIfAborted();
        await sink.write(await source.read(at, Math.min(part.end, at + COPY_BYTES), options));
        options.onProgress?.({ phase: "write", done: sink.position, total });
      }
    }
  }
  options.signal?.throwIfAborted();
}
