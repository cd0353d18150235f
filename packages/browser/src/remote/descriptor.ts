import type { ByteSource, HttpSourceOptions } from "@ckptkit/core";

/**
 * A source on a web server that tells how a worker opens it: with the worker's own `fetch`. Sources that are read through a function
 * (signed requests) and addresses with a password, which `fetch` refuses, cannot be opened elsewhere.
 */
export function withDescriptor(source: ByteSource, uri: string, { headers = {}, timeoutMs }: HttpSourceOptions): ByteSource {
  const url = new URL(uri);
  if (url.username !== "" || url.password !== "") return source;
  url.hash = "";
  const { name, size, version } = source;
  const descriptor = { kind: "http", url: url.href, headers, timeoutMs, name, size, version };
  // A copy in a Blob has one of its own.
  return { ...source, descriptor: () => source.descriptor?.() ?? descriptor };
}
