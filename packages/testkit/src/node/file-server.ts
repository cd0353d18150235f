import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A file that a {@link fileServer} serves, of any size. */
export interface ServedFile {
  readonly size: number;
  /** The bytes [start, end), as pieces. */
  pieces(start: number, end: number): Iterable<Uint8Array>;
  /** Entity tag; none when null. */
  etag: string | null;
  lastModified?: string | undefined;
  /** Whether ranges are answered; otherwise every answer is the whole file. */
  ranges: boolean;
  /** Whether answers tell their length. */
  announcesLength: boolean;
}

/** A real HTTP server on this machine. */
export interface FileServer {
  readonly url: string;
  /** By path: `/model.ckpt`. */
  readonly files: Map<string, ServedFile>;
  readonly requests: IncomingMessage[];
  /** Bytes of files that were written to connections. */
  bytesSent: number;
  /** Answers a request in its own way, and returns true; or returns false for the usual answer. */
  intercept: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  /** Cuts the connection once so many bytes of an answer's body have been sent. */
  cutAfter: number | undefined;
  close(): Promise<void>;
}

const PIECE_BYTES = 64 * 1024;

/** A file with these bytes. */
export function servedBytes(bytes: Uint8Array, options: Partial<ServedFile> = {}): ServedFile {
  function* pieces(start: number, end: number): Iterable<Uint8Array> {
    for (let at = start; at < end; at += PIECE_BYTES) yield bytes.subarray(at, Math.min(end, at + PIECE_BYTES));
  }
  return { size: bytes.length, pieces, etag: '"v1"', ranges: true, announcesLength: true, ...options };
}

/**
 * Serves files over HTTP with ranges, ETags and conditions, as real servers do, and breaks off on request. Close it when done.
 *
 * @example const server = await fileServer(); server.files.set("/a.ckpt", servedBytes(bytes));
 */
export async function fileServer(): Promise<FileServer> {
  const state: Omit<FileServer, "url" | "close"> = {
    files: new Map(),
    requests: [],
    bytesSent: 0,
    intercept: undefined,
    cutAfter: undefined,
  };
  const http = createServer((request, response) => {
    state.requests.push(request);
    if (state.intercept?.(request, response)) return;
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname);
    const file = state.files.get(path);
    if (file) answer(server, file, request, response).catch(() => response.destroy());
    else response.writeHead(404).end("nothing here");
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const server: FileServer = Object.assign(state, {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, // listening on TCP, so it has a port
    close: () =>
      new Promise<void>((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  });
  return server;
}

/** The usual answer to a request for a file. */
async function answer(server: FileServer, file: ServedFile, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { headers } = request;
  const validators = {
    ...(file.etag !== null && { etag: file.etag }),
    ...(file.lastModified !== undefined && { "last-modified": file.lastModified }),
  };
  const isSame =
    (file.etag !== null && headers["if-none-match"] === file.etag) ||
    (headers["if-none-match"] === undefined && file.lastModified !== undefined && headers["if-modified-since"] === file.lastModified);
  if (isSame) return void response.writeHead(304, validators).end();
  const condition = headers["if-range"];
  const isCurrent = condition === undefined || condition === file.etag || condition === file.lastModified;
  const range = file.ranges && isCurrent ? /^bytes=(\d+)-(\d*)$/.exec(String(headers.range ?? "")) : null;
  const start = Number(range?.[1] ?? 0);
  const end = range?.[2] ? Math.min(Number(range[2]) + 1, file.size) : file.size;
  if (range && start >= file.size) return void response.writeHead(416, { "content-range": `bytes */${file.size}` }).end();
  response.writeHead(range ? 206 : 200, {
    ...validators,
    ...(file.ranges && { "accept-ranges": "bytes" }),
    ...(range && { "content-range": `bytes ${start}-${end - 1}/${file.size}` }),
    ...(file.announcesLength && { "content-length": end - start }),
  });
  if (request.method === "HEAD") return void response.end();
  await sendBody(server, file.pieces(start, end), response);
}

async function sendBody(server: FileServer, pieces: Iterable<Uint8Array>, response: ServerResponse): Promise<void> {
  let sent = 0;
  for (const piece of pieces) {
    const { cutAfter } = server;
    const allowed = cutAfter === undefined ? piece : piece.subarray(0, Math.max(0, cutAfter - sent));
    sent += allowed.length;
    server.bytesSent += allowed.length;
    const isFree = response.write(allowed);
    if (allowed.length < piece.length) {
      // What was sent so far is to arrive before the connection breaks.
      await new Promise((resolve) => setTimeout(resolve, 20));
      response.destroy();
      return;
    }
    if (response.destroyed) return;
    if (!isFree) await roomIn(response);
  }
  response.end();
}

/** Waits until a connection takes more, or is closed. */
const roomIn = (response: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      response.off("drain", done).off("close", done);
      resolve();
    };
    response.on("drain", done).on("close", done);
  });
