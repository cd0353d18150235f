// A file server on this machine that answers every address with one checkpoint, by range where a range is asked for.
import { createServer } from "node:http";

/** Resolves to `{ url, close }`. */
export async function serveEverywhere(bytes) {
  const server = createServer((request, response) => {
    const headers = { etag: '"1"', "accept-ranges": "bytes", "content-type": "application/octet-stream" };
    const match = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
    if (!match) return response.writeHead(200, { ...headers, "content-length": bytes.length }).end(request.method === "HEAD" ? "" : bytes);
    const start = Number(match[1]);
    const body = bytes.subarray(start, match[2] === "" ? undefined : Number(match[2]) + 1);
    const range = `bytes ${start}-${start + body.length - 1}/${bytes.length}`;
    response.writeHead(206, { ...headers, "content-range": range, "content-length": body.length }).end(body);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
