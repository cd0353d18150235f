import type { IncomingMessage, ServerResponse } from "node:http";
import type { FetchLike } from "@ckptkit/core";
import { type FileServer, fileServer, type ServedFile } from "@ckptkit/testkit/node";
import { type Account, checkSignature } from "./signature-check.js";

/** An S3 server of one region that checks every signature as strictly as Amazon's does. */
export interface S3Server {
  readonly files: FileServer;
  /** Address of the server, for clients that write the bucket into the path. */
  readonly endpoint: string;
  readonly account: Account;
  readonly region: string;
  /** Objects as `bucket/key`, and as `bucket/key?versionId=id`. */
  readonly objects: Map<string, ServedFile & { versionId?: string }>;
  /** Buckets that anybody may read. */
  readonly open: Set<string>;
  /** How far its clock is ahead. */
  skewMs: number;
  /** Sends Amazon's own host names here, as DNS would. */
  readonly fetch: FetchLike;
  close(): Promise<void>;
}

/** Carries the host that a client meant, because fetch does not let a test set the Host header. */
const MEANT_HOST = "test-host";

/** Starts the server. */
export async function s3Server(account: Account, region: string): Promise<S3Server> {
  const files = await fileServer();
  const server: S3Server = {
    files,
    endpoint: files.url,
    account,
    region,
    objects: new Map(),
    open: new Set(),
    skewMs: 0,
    fetch: (address, init) => {
      const url = new URL(address);
      const headers = new Headers(init.headers);
      headers.set(MEANT_HOST, url.host);
      return globalThis.fetch(`${files.url}${url.pathname}${url.search}`, { ...init, headers });
    },
    close: () => files.close(),
  };
  files.intercept = (request, response) => answer(server, request, response);
  return server;
}

function answer(server: S3Server, request: IncomingMessage, response: ServerResponse): boolean {
  const { region, account, objects, files } = server;
  const headers: Record<string, string | undefined> = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(",") : value]),
  );
  const host = headers[MEANT_HOST] ?? headers.host ?? "";
  const target = request.url ?? "/";
  const [path = "/", query = ""] = target.split("?", 2);
  const inHost = /^(.+)\.s3\.[a-z0-9-]+\.amazonaws\.com$/.exec(host)?.[1];
  const name = decodeURIComponent(inHost === undefined ? path.slice(1) : `${inHost}${path}`);
  const bucket = name.split("/", 1)[0] ?? "";
  const isAnonymous = headers.authorization === undefined && !query.includes("X-Amz-Signature");
  const signed = { method: request.method ?? "GET", target, headers: { ...headers, host } };
  const problem = isAnonymous && server.open.has(bucket) ? undefined : checkSignature(signed, account, region, Date.now() + server.skewMs);
  const refuse = (status: number, code: string, more: Record<string, string> = {}): boolean => {
    // Like the real ones, it repeats what it was sent.
    const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message><AWSAccessKeyId>${account.accessKeyId}</AWSAccessKeyId><Token-0>${headers["x-amz-security-token"] ?? ""}</Token-0></Error>`;
    response.writeHead(status, { "content-type": "application/xml", ...more }).end(body);
    return true;
  };
  if (problem === "AuthorizationHeaderMalformed") return refuse(400, problem, { "x-amz-bucket-region": region });
  if (problem) return refuse(403, problem);
  const versionId = new URLSearchParams(query).get("versionId");
  const object = objects.get(versionId === null ? name : `${name}?versionId=${versionId}`);
  if (!object) {
    const isBucket = [...objects.keys()].some((key) => key.startsWith(`${bucket}/`));
    return refuse(404, !isBucket ? "NoSuchBucket" : versionId === null ? "NoSuchKey" : "NoSuchVersion");
  }
  if (object.versionId !== undefined) response.setHeader("x-amz-version-id", object.versionId);
  request.url = "/object";
  files.files.set("/object", object);
  return false;
}
