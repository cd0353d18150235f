import type { ByteSink } from "@ckptkit/core";
import { fileSystemError } from "../files/file-system-errors.js";
import { hasOpfs } from "../opfs/opfs-path.js";
import { stageFile } from "../opfs/staging.js";
import { bufferedSink, type WriteTarget } from "./buffered-sink.js";

/** A sink that makes a file to be downloaded. */
export interface DownloadSink extends ByteSink {
  /** The file after the commit, its bytes on disk: for {@link saveFile} on the page. It can be posted from a worker to the page. */
  readonly file: File | undefined;
  /** Removes the file's bytes from where they were kept. Call it when they have been saved; otherwise they go with the tab. */
  release(): Promise<void>;
}

/** What {@link downloadSink} takes. */
export interface DownloadSinkOptions {
  /** Is given the file at the commit: `saveFile` on a page, `postMessage` in a worker. */
  onFile?: ((file: File) => void) | undefined;
}

/**
 * Gathers bytes in a temporary file of the origin private file system, so that memory does not grow with them, and gives a File that the
 * browser saves from disk to disk. Where there is no such file system, the browser's Blobs hold the bytes.
 *
 * @throws {CheckpointSourceError} NO_SPACE, WRITE_FAILED
 * @example
 * const sink = await downloadSink("model.safetensors", { onFile: saveFile });
 */
export async function downloadSink(name: string, { onFile }: DownloadSinkOptions = {}): Promise<DownloadSink> {
  let file: File | undefined;
  const deliver = (made: File): void => {
    file = made;
    onFile?.(made);
  };
  const { target, release } = await openTarget(name, deliver);
  // Not a spread: `position` is a getter.
  return Object.create(bufferedSink(name, target), {
    file: { get: () => file, enumerable: true },
    release: { value: release, enumerable: true },
  }) as DownloadSink; // the sink, with the two properties that make it one
}

interface Opened {
  target: WriteTarget;
  release(): Promise<void>;
}

async function openTarget(name: string, deliver: (file: File) => void): Promise<Opened> {
  if (!hasOpfs()) return inBlobs(name, deliver);
  try {
    const staged = await stageFile();
    return {
      target: {
        append: (bytes) => staged.append(bytes),
        async finish() {
          await staged.close();
          // A File of a File refers to the same bytes on disk: only the name is another.
          deliver(new File([await staged.handle.getFile()], name, { type: "application/octet-stream" }));
        },
        discard: () => staged.remove(),
      },
      release: () => staged.remove(),
    };
  } catch (error) {
    const coded = fileSystemError(error, name, "written");
    // Private windows and browsers without a writer: memory has to do.
    if (coded.code === "NO_SPACE") throw coded;
    return inBlobs(name, deliver);
  }
}

function inBlobs(name: string, deliver: (file: File) => void): Opened {
  let parts: Blob[] = [];
  const forget = async (): Promise<void> => {
    parts = [];
  };
  const target: WriteTarget = {
    async append(bytes) {
      parts.push(new Blob([bytes]));
    },
    async finish() {
      deliver(new File(parts, name, { type: "application/octet-stream" }));
    },
    discard: forget,
  };
  return { target, release: forget };
}

/** How long a download may take to begin, until its address is taken back. */
const BEGIN_MS = 60_000;

/**
 * Saves a file as a download, as a click on a link does. On pages only: a worker posts its file to the page.
 *
 * @example worker.onmessage = ({ data }) => saveFile(data.file);
 */
export function saveFile(file: File): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = file.name;
  link.rel = "noopener";
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), BEGIN_MS);
}
