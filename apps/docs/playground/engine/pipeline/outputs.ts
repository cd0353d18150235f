import { type DownloadSink, downloadSink, pickerSink } from "@ckptkit/browser";
import { type ByteSink, CheckpointConfigError } from "@ckptkit/core";

/** A file that a run wrote. */
export interface RunOutput {
  readonly id: number;
  /** As the pipeline names it. */
  readonly path: string;
  readonly bytes: number;
  /** Its bytes, on disk where the browser can; undefined when it was written into a folder. */
  readonly file: File | undefined;
}

/** Where runs write: files that the page keeps until they are saved, or a folder that a person chose. */
export class Outputs {
  #written: RunOutput[] = [];
  #next = 1;
  readonly #kept = new Map<number, DownloadSink>();

  /** What was written since the last {@link begin}. */
  get written(): readonly RunOutput[] {
    return this.#written;
  }

  begin(): void {
    this.#written = [];
  }

  /**
   * A sink for a path of a pipeline.
   *
   * @param folder where the file goes; the page keeps it when left out
   * @throws {CheckpointConfigError} INVALID_ARGUMENT for a path that leads out of the folder
   */
  async create(path: string, folder: FileSystemDirectoryHandle | undefined): Promise<ByteSink> {
    const parts = path.split(/[/\\]/).filter((part) => part !== "" && part !== ".");
    const name = parts.at(-1);
    if (name === undefined || parts.includes("..") || /^[a-z][a-z0-9+.-]*:/i.test(path)) throw unusable(path);
    const id = this.#next++;
    if (folder) {
      let inner = folder;
      for (const part of parts.slice(0, -1)) inner = await inner.getDirectoryHandle(part, { create: true });
      const sink = await pickerSink(await inner.getFileHandle(name, { create: true }));
      return this.#told(sink, (bytes) => ({ id, path, bytes, file: undefined }));
    }
    const sink = await downloadSink(name, { onFile: () => undefined });
    return this.#told(sink, (bytes) => {
      this.#kept.set(id, sink);
      return { id, path, bytes, file: sink.file };
    });
  }

  /** Removes what the page keeps of these. */
  async discard(ids: readonly number[]): Promise<void> {
    for (const id of ids) {
      await this.#kept.get(id)?.release();
      this.#kept.delete(id);
    }
  }

  /** A sink whose commit makes an output known. */
  #told(sink: ByteSink, output: (bytes: number) => RunOutput): ByteSink {
    let isTold = false;
    return {
      name: sink.name,
      get position() {
        return sink.position;
      },
      write: (bytes) => sink.write(bytes),
      abort: () => sink.abort(),
      commit: async () => {
        await sink.commit();
        if (!isTold) this.#written.push(output(sink.position));
        isTold = true;
      },
    };
  }
}

const unusable = (path: string): CheckpointConfigError =>
  new CheckpointConfigError("INVALID_ARGUMENT", `A page cannot write to ${path}.`, {
    details: { path },
    suggestions: [
      "Give a name such as model.safetensors: you save it from the list of results.",
      "Or an address of a bucket: s3://BUCKET/KEY.",
    ],
  });
