import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";

/** What the server serves now, and how it misbehaves. */
export interface ServerState {
  file: Uint8Array;
  etag: string;
  /** Answers one request; undefined for a good answer. */
  fault: ((request: IncomingMessage, response: ServerResponse, range: { start: number; end: number }) => void) | undefined;
  requests: IncomingMessage[];
  /** Connections that were closed before their answer was complete. */
  cut: number;
}

/** A real HTTP server on this machine that answers range requests, well or badly. */
export async function faultServer(file: Uint8Array): Promise<{ url: string; state: ServerState; close: () => Promise<void> }> {
  const state: ServerState = { file, etag: '"v1"', fault: undefined, requests: [], cut: 0 };
  const server = createServer((request, response) => {
    state.requests.push(request);
    let finished = false;
    response.on("finish", () => {
      finished = true;
    });
    response.on("close", () => {
      if (!finished) state.cut++;
    });
    const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    const start = Number(match?.[1] ?? 0);
    const end = Math.min(Number(match?.[2] ?? state.file.length - 1) + 1, state.file.length);
    if (state.fault) return state.fault(request, response, { start, end });
    answerRange(state, response, start, end);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/model.bin`,
    state,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The right answer to a request for [start, end). */
export function answerRange(
  state: ServerState,
  response: ServerResponse,
  start: number,
  end: number,
  body = state.file.subarray(start, end),
): void {
  response.writeHead(206, {
    "content-range": `bytes ${start}-${end - 1}/${state.file.length}`,
    "content-length": end - start,
    etag: state.etag,
  });
  response.end(body);
}

/** The range, compressed. */
export function answerGzip(state: ServerState, response: ServerResponse, start: number, end: number): void {
  const body = gzipSync(state.file.subarray(start, end));
  response.writeHead(206, {
    "content-range": `bytes ${start}-${end - 1}/${state.file.length}`,
    "content-encoding": "gzip",
    "content-length": body.length,
  });
  response.end(body);
}
