import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** Serves the files of a folder with ranges, until the test ends. */
export async function serve(folder: string): Promise<{ url: string; requests: () => number }> {
  let requests = 0;
  const server = createServer(async (request, response) => {
    requests++;
    const bytes = await readFile(join(folder, decodeURIComponent(request.url ?? ""))).catch(() => undefined);
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
    if (!bytes) response.writeHead(404).end("no such file");
    else if (from === undefined) response.writeHead(200, { "content-length": bytes.length }).end(bytes);
    else {
      const start = Number(from);
      const end = Math.min(to ? Number(to) + 1 : bytes.length, bytes.length);
      const headers = { "content-range": `bytes ${start}-${end - 1}/${bytes.length}`, "content-length": end - start, etag: '"1"' };
      response.writeHead(206, headers).end(bytes.subarray(start, end));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests: () => requests }; // it listens on a port
}
