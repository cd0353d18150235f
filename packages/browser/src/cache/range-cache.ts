import { type ByteSource, CheckpointConfigError } from "@ckptkit/core";
import { hasOpfs } from "../opfs/opfs-path.js";
import type { BlockStore } from "./block-store.js";
import { cacheApiStore } from "./cache-api-store.js";
import { cachedSource } from "./cached-source.js";
import { opfsStore } from "./opfs-store.js";

/** What {@link rangeCache} takes. */
export interface RangeCacheOptions {
  /** Bytes that are kept (256 MiB); the files that were opened longest ago make room. One file takes a quarter of them at the most. */
  maxBytes?: number | undefined;
  /** Name under which the browser keeps them; caches with the same name are one cache, in all tabs. */
  name?: string | undefined;
  /** Where they are kept: the origin private file system, else the Cache API, when left out. */
  storage?: "opfs" | "cache-api" | undefined;
}

/** Bytes of remote files that were read before, kept by the browser. */
export interface RangeCache {
  /** Whether this browser keeps anything here. When it does not, everything works and is fetched each time. */
  readonly available: boolean;
  /** Whether bytes of this address are kept, of whatever version: then the first request needs to ask for the version only. */
  has(address: string): Promise<boolean>;
  /**
   * A source that serves what is kept of the same version, and keeps what it reads. A source whose version is not known is given back as it is.
   *
   * @param address tells the file from others; only its hash is kept
   */
  wrap(source: ByteSource, address: string): Promise<ByteSource>;
  /** Bytes that are kept now, and how many may be. */
  usage(): Promise<{ bytes: number; maxBytes: number; files: number }>;
  /** Forgets everything. */
  clear(): Promise<void>;
  /** Waits until everything that was read has been written. */
  settled(): Promise<void>;
}

/** Part of the cache that one file may take, so that a scan of a large one does not push the others out. */
const FILE_SHARE = 4;

/**
 * Keeps the ranges of remote files that were read, so that opening them again costs one small request. Bounded, shared by all tabs, and
 * never in the way: when the browser has no room or clears it, bytes are fetched as without it.
 *
 * @throws {CheckpointConfigError} INVALID_ARGUMENT when maxBytes is no size
 * @example const platform = browserPlatform({ cache: rangeCache({ maxBytes: 512 * 2 ** 20 }) });
 */
export function rangeCache(options: RangeCacheOptions = {}): RangeCache {
  const { maxBytes = 256 * 2 ** 20, name = "ckptkit-ranges" } = options;
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1) {
    throw new CheckpointConfigError("INVALID_ARGUMENT", `A cache of ${maxBytes} bytes was asked for; sizes are integers from 1 on.`, {
      details: { maxBytes },
    });
  }
  const store = chooseStore(name, options.storage);
  const writes = new Set<Promise<void>>();
  /** Bytes kept, as far as this tab knows; undefined before they were counted. */
  let kept: number | undefined;
  /** Set when the browser refuses: no more is written until the page is loaded again. */
  let full = false;

  const makeRoom = async (current: BlockStore, inUse: string): Promise<void> => {
    const files = (await current.list()).sort((a, b) => a.usedAt - b.usedAt);
    let total = files.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { id, bytes } of files) {
      if (total <= maxBytes) break;
      if (id === inUse) continue;
      await current.remove(id);
      total -= bytes;
    }
    kept = total;
  };

  const write = async (current: BlockStore, id: string, start: number, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> => {
    if (full) return false;
    try {
      await current.write(id, { start, end: start + bytes.length }, bytes);
      if (kept !== undefined) kept += bytes.length;
      // One tab at a time makes room; the others leave it to that one.
      if (kept === undefined || kept > maxBytes) await withLock(`${name}/evict`, () => makeRoom(current, id));
      return true;
    } catch {
      full = true;
      return false;
    }
  };

  return {
    available: store !== undefined,
    async has(address) {
      const prefix = await hashOf(address);
      const ids = await store?.ids().catch(() => []);
      return ids?.some((id) => id.startsWith(prefix)) ?? false;
    },
    async wrap(source, address) {
      const version = versionOf(source);
      if (!store || version === undefined) return source;
      const id = (await hashOf(address)) + (await hashOf(`${version} ${source.size}`));
      const extents = await store.open(id).catch(() => []);
      return cachedSource(source, {
        extents,
        maxBytes: Math.floor(maxBytes / FILE_SHARE),
        read: (extent, from, to) => store.read(id, extent, from, to),
        write(start, bytes) {
          const written = write(store, id, start, bytes);
          const ended = written.then(() => void writes.delete(ended));
          writes.add(ended);
          return written;
        },
      });
    },
    async usage() {
      const files = (await store?.list().catch(() => [])) ?? [];
      return { bytes: files.reduce((sum, { bytes }) => sum + bytes, 0), maxBytes, files: files.length };
    },
    async clear() {
      await Promise.all(writes);
      for (const { id } of (await store?.list().catch(() => [])) ?? []) await store?.remove(id);
      kept = undefined;
      full = false;
    },
    async settled() {
      await Promise.all(writes);
    },
  };
}

function chooseStore(name: string, storage: RangeCacheOptions["storage"]): BlockStore | undefined {
  const canWrite = typeof FileSystemFileHandle !== "undefined" && "createWritable" in FileSystemFileHandle.prototype;
  if (storage !== "cache-api" && hasOpfs() && canWrite) return opfsStore(`.${name}`);
  // Pages over http: have neither.
  return storage !== "opfs" && typeof caches !== "undefined" ? cacheApiStore(name) : undefined;
}

/** What tells this version of a file from others; undefined when the server does not tell. */
const versionOf = ({ version }: ByteSource): string | undefined =>
  version?.etag ?? version?.versionId ?? version?.revision ?? version?.lastModified;

/** 128 bits of a SHA-256, in hexadecimal. */
async function hashOf(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return Array.from(digest.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function withLock(name: string, work: () => Promise<void>): Promise<void> {
  if (!navigator.locks) return work();
  await navigator.locks.request(name, { ifAvailable: true }, async (lock) => {
    if (lock) await work();
  });
}
