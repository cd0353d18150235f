import { randomBytes } from "node:crypto";
import { link, mkdir, open, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { CheckpointSourceError } from "@ckptkit/core";
import { systemCode } from "../file-errors.js";

/** A lock that is held. */
export interface FileLock {
  /** @throws {CheckpointSourceError} WRITE_FAILED (retryable) when another process has taken the lock over. */
  check(): Promise<void>;
  release(): Promise<void>;
}

/** How often a holder shows that it lives, and a waiter looks. */
const HEARTBEAT_MS = 2_000;
const POLL_MS = 100;
/** A holder on another machine that has not shown itself for this long is taken for dead. */
const SILENT_MS = 60_000;
/** The same on this machine, where a process of its number lives: it may be another that got the number, or one that is suspended. */
const SILENT_ALIVE_MS = 600_000;

interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly token: string;
}

/**
 * Waits for a lock that is a file: whoever makes it holds it, among processes and within one. The lock of a process that was killed is
 * taken over at once on the same machine.
 *
 * @throws the signal's reason when it is aborted while waiting.
 */
export async function lockFile(path: string, signal?: AbortSignal): Promise<FileLock> {
  for (;;) {
    signal?.throwIfAborted();
    const lock = await tryLockFile(path);
    if (lock) return lock;
    await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** The same without waiting: undefined when somebody else holds it. */
export async function tryLockFile(path: string): Promise<FileLock | undefined> {
  const holder: Holder = { pid: process.pid, host: hostname(), token: randomBytes(8).toString("hex") };
  if (await create(path, holder)) return hold(path, holder);
  const other = await read(path);
  if (!other.holder || !isDead(other.holder, other.silentMs)) return undefined;
  await takeAway(path, other.holder, holder.token);
  return (await create(path, holder)) ? hold(path, holder) : undefined;
}

async function create(path: string, holder: Holder): Promise<boolean> {
  // Written under another name and linked, so that nobody ever sees a lock without its holder.
  const draft = `${path}.${holder.token}`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const handle = await open(draft, "wx");
    await handle.writeFile(JSON.stringify(holder)).finally(() => handle.close());
    await link(draft, path);
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

function hold(path: string, { token }: Holder): FileLock {
  let lost = false;
  const beat = (): void => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  };
  const timer = setInterval(beat, HEARTBEAT_MS);
  timer.unref();
  const isOurs = async (): Promise<boolean> => (await read(path)).holder?.token === token;
  return {
    async check() {
      lost ||= !(await isOurs());
      if (lost) throw new CheckpointSourceError("WRITE_FAILED", `The lock ${path} was taken over by another process.`, { retryable: true });
    },
    async release() {
      clearInterval(timer);
      if (!lost && (await isOurs())) await rm(path, { force: true });
    },
  };
}

async function read(path: string): Promise<{ holder: Holder | undefined; silentMs: number }> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(path, "utf8"), stat(path)]);
    return { holder: JSON.parse(text) as Holder, silentMs: Date.now() - mtimeMs }; // written by `create` alone
  } catch {
    return { holder: undefined, silentMs: 0 };
  }
}

function isDead({ pid, host }: Holder, silentMs: number): boolean {
  if (host !== hostname()) return silentMs > SILENT_MS;
  try {
    process.kill(pid, 0);
    return silentMs > SILENT_ALIVE_MS;
  } catch (error) {
    return systemCode(error) === "ESRCH";
  }
}

/** Removes the lock of a dead holder, and no other: it may have been taken over and replaced since it was looked at. */
async function takeAway(path: string, dead: Holder, token: string): Promise<void> {
  const aside = `${path}.${token}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return;
    throw error;
  }
  const moved = (await read(aside)).holder;
  if (moved?.token !== dead.token) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}
