import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { SourceVersion } from "@ckptkit/core";

/** A whole copy of a remote file, as its folder's `copy.json` describes it. */
export interface Copy {
  /** The remote file's name, for people who look into the folder. */
  readonly name: string;
  /** File name of the bytes, in the same folder. */
  readonly file: string;
  readonly size: number;
  /** Time of the last change of the bytes, so that a copy that somebody has written to is not used. */
  readonly mtimeNs: string;
  readonly version: SourceVersion;
  /** Checksums that were verified, as `sha256:hex`. */
  readonly checksums: readonly string[];
}

/** A download that is not finished, as `journal.json` describes it. */
export interface Journal {
  readonly name: string;
  readonly version: SourceVersion;
  /** Bytes of the whole file; undefined when the server does not tell. */
  readonly size?: number | undefined;
  /** Bytes that are in the file `partial` and have reached the device. */
  readonly bytes: number;
}

const COPY = "copy.json";
const JOURNAL = "journal.json";
export const PARTIAL = "partial";
export const LOCK = "lock";

/** The folder of copies: CKPTKIT_CACHE_DIR, else `ckptkit` where this system keeps what may be deleted. */
export function defaultCopiesFolder(environment: NodeJS.ProcessEnv = process.env): string {
  if (environment.CKPTKIT_CACHE_DIR) return environment.CKPTKIT_CACHE_DIR;
  if (environment.XDG_CACHE_HOME) return join(environment.XDG_CACHE_HOME, "ckptkit");
  if (process.platform === "win32") return join(environment.LOCALAPPDATA ?? join(homedir(), "AppData", "Local"), "ckptkit", "cache");
  return process.platform === "darwin" ? join(homedir(), "Library", "Caches", "ckptkit") : join(homedir(), ".cache", "ckptkit");
}

/** The folder of one remote file. Its address may hold what nobody is to read, so only its hash is seen. */
export async function openCopyFolder(copies: string, key: string): Promise<CopyFolder> {
  const path = join(copies, createHash("sha256").update(key).digest("hex").slice(0, 40));
  await mkdir(path, { recursive: true });
  return new CopyFolder(path);
}

/** What is kept of one remote file: a copy, or the beginning of one, or both. */
export class CopyFolder {
  constructor(readonly path: string) {}

  at(file: string): string {
    return join(this.path, file);
  }

  /** The copy; undefined where there is none, or not as it was written. */
  async readCopy(): Promise<Copy | undefined> {
    const copy = await readJson<Copy>(this.at(COPY));
    if (!copy) return undefined;
    const found = await stat(this.at(copy.file), { bigint: true }).catch(() => undefined);
    return found && Number(found.size) === copy.size && String(found.mtimeNs) === copy.mtimeNs ? copy : undefined;
  }

  async writeCopy(copy: Copy): Promise<void> {
    await this.#replace(COPY, copy);
  }

  /** What a download that was cut off has left; undefined where there is nothing to go on from. */
  async readJournal(): Promise<Journal | undefined> {
    const journal = await readJson<Journal>(this.at(JOURNAL));
    if (!journal) return undefined;
    const found = await stat(this.at(PARTIAL)).catch(() => undefined);
    return found && found.size >= journal.bytes ? journal : undefined;
  }

  async writeJournal(journal: Journal): Promise<void> {
    await this.#replace(JOURNAL, journal);
  }

  /** Makes `partial` the copy, and removes everything else but the lock. */
  async publish(about: Pick<Copy, "name" | "version" | "checksums">): Promise<Copy> {
    const file = `${randomBytes(6).toString("hex")}.data`;
    await rename(this.at(PARTIAL), this.at(file));
    const { size, mtimeNs } = await stat(this.at(file), { bigint: true });
    const copy: Copy = { ...about, file, size: Number(size), mtimeNs: String(mtimeNs) };
    await this.writeCopy(copy);
    await this.#sweep((name) => name !== file && name !== COPY);
    return copy;
  }

  /** Forgets the beginning of a download. */
  async discardPartial(): Promise<void> {
    await rm(this.at(JOURNAL), { force: true });
    await rm(this.at(PARTIAL), { force: true });
  }

  /** Removes everything but the lock. */
  async clear(): Promise<void> {
    await this.#sweep(() => true);
  }

  async #sweep(isUnwanted: (name: string) => boolean): Promise<void> {
    const names = (await readdir(this.path)).filter((name) => !name.startsWith(LOCK) && isUnwanted(name));
    // On Windows a copy that is being read cannot be removed: the next download does it.
    await Promise.all(names.map((name) => rm(this.at(name), { force: true }).catch(() => undefined)));
  }

  /** Writes a small file whole or not at all. */
  async #replace(name: string, value: Copy | Journal): Promise<void> {
    const draft = this.at(`${name}.tmp`);
    await writeFile(draft, JSON.stringify(value));
    await rename(draft, this.at(name));
  }
}

async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as T; // written by this module, whole or not at all
  } catch {
    return undefined;
  }
}
