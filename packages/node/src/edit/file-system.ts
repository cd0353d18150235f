import { type FileHandle, open, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { systemCode } from "../file-errors.js";
import { flush, flushFolder } from "../flush.js";

/** What an edit does to the file system, one step at a time: so a test can stop it behind any of them. */
export interface EditSteps {
  /** Makes a file with these bytes, which must not be there. They are on the device when the promise resolves. */
  create(path: string, bytes: Uint8Array): Promise<void>;
  write(handle: FileHandle, bytes: Uint8Array, at: number): Promise<void>;
  truncate(handle: FileHandle, size: number): Promise<void>;
  /** What was written is on the device when the promise resolves. */
  sync(handle: FileHandle): Promise<void>;
  remove(path: string): Promise<void>;
}

/** The steps themselves. */
export const REAL_STEPS: EditSteps = {
  async create(path, bytes) {
    const handle = await open(path, "wx");
    try {
      await handle.writeFile(bytes);
      await flush(handle);
    } finally {
      await handle.close();
    }
    await flushFolder(dirname(path));
  },
  async write(handle, bytes, at) {
    for (let written = 0; written < bytes.length; ) {
      written += (await handle.write(bytes, written, bytes.length - written, at + written)).bytesWritten;
    }
  },
  truncate: (handle, size) => handle.truncate(size),
  sync: flush,
  async remove(path) {
    await rm(path, { force: true });
    await flushFolder(dirname(path));
  },
};

/** Whether an error says that a name is taken. */
export const isTaken = (error: unknown): boolean => systemCode(error) === "EEXIST";
