import { type ByteSink, type Bytes, CheckpointSourceError, type RetryOptions, withRetries } from "@ckptkit/core";
import { fetchOf, type RemoteHost } from "../remote-options.js";
import { objectAddress, parseS3Address, type S3Options } from "./address.js";
import { credentialsFor } from "./credentials.js";
import { serverOf } from "./server.js";
import { signingFetch } from "./signing-fetch.js";

/** How an object is written. */
export interface S3SinkOptions extends S3Options {
  retry?: RetryOptions | false | undefined;
  /** false refuses to replace an object that is there (a conditional write). Default true. */
  overwrite?: boolean | undefined;
  /** Bytes of the first parts (16 MiB; S3 wants 5 MiB at least). They double every thousand parts, of which S3 takes 10,000. */
  partBytes?: number | undefined;
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const LEAST_PART_BYTES = 5 * 1024 * 1024;
const PARTS_OF_ONE_SIZE = 1000;

/**
 * An object in S3 that is written part by part. Nothing is visible before `commit`; an abort takes the parts away. Every part is
 * signed with its SHA-256, so that the server refuses what was damaged on the way. Objects smaller than a part are written at once.
 *
 * @throws {CheckpointConfigError} INVALID_ARGUMENT for an address or endpoint that cannot be used
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
 * @example const sink = s3Sink("s3://my-models/model.safetensors", platform);
 */
export function s3Sink(uri: string, host: RemoteHost, options: S3SinkOptions = {}): ByteSink {
  const object = parseS3Address(uri);
  const { region, endpoint } = serverOf(options, host);
  const name = `s3://${object.bucket}/${object.key}`;
  const firstPartBytes = Math.max(LEAST_PART_BYTES, options.partBytes ?? 16 * 1024 * 1024);
  const condition: Record<string, string> = options.overwrite === false ? { "if-none-match": "*" } : {};
  const credentials = credentialsFor(options, host);
  const etags: string[] = [];
  let buffer = new Uint8Array(firstPartBytes);
  let filled = 0;
  let position = 0;
  let uploadId: string | undefined;
  let state: "open" | "committed" | "aborted" = "open";

  const request = async (
    method: string,
    query: Record<string, string>,
    body?: Bytes,
    headers: Record<string, string> = {},
  ): Promise<Response> => {
    const bytes = body?.slice();
    const digest = bytes && { "x-amz-content-sha256": await sha256(bytes) };
    const send = signingFetch({
      addressIn: (current) => {
        const url = objectAddress(object, { ...options, endpoint }, current);
        for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
        return url;
      },
      region,
      credentials,
      fetch: fetchOf(host),
      name,
      deed: "written",
    });
    const run = async (): Promise<Response> => {
      try {
        return await send(uri, { method, headers: { ...headers, ...digest }, ...(bytes && { body: bytes }) });
      } catch (cause) {
        if (!(cause instanceof TypeError)) throw cause; // fetch's own way to say that the connection failed
        throw new CheckpointSourceError("WRITE_FAILED", `${name} could not be written: the connection to its server failed.`, {
          cause,
          retryable: true,
        });
      }
    };
    const answer = await (options.retry === false ? run() : withRetries(run, options.retry));
    if (answer.status !== 412) return answer;
    throw new CheckpointSourceError("DESTINATION_EXISTS", `${name} is there already, and was not to be replaced.`, {
      suggestions: ["Choose another name, or allow it to be replaced (overwrite: true; --force on the command line)."],
    });
  };

  const uploadPart = async (): Promise<void> => {
    uploadId ??= field(await (await request("POST", { uploads: "" })).text(), "UploadId", name);
    const answer = await request("PUT", { partNumber: String(etags.length + 1), uploadId }, buffer.subarray(0, filled));
    const etag = answer.headers.get("etag");
    await answer.body?.cancel();
    if (etag === null) throw unexpected(name, "a part without an ETag");
    etags.push(etag);
    filled = 0;
    const size = firstPartBytes * 2 ** Math.floor(etags.length / PARTS_OF_ONE_SIZE);
    if (size !== buffer.length) buffer = new Uint8Array(size);
  };

  return {
    name,
    get position() {
      return position;
    },
    async write(bytes) {
      if (state !== "open") throw new CheckpointSourceError("WRITE_FAILED", `${name} was written to after it had been closed.`);
      for (let at = 0; at < bytes.length; ) {
        const take = Math.min(bytes.length - at, buffer.length - filled);
        buffer.set(bytes.subarray(at, at + take), filled);
        filled += take;
        at += take;
        position += take;
        if (filled === buffer.length) await uploadPart();
      }
    },
    async commit() {
      if (state === "committed") return;
      if (state === "aborted") throw new CheckpointSourceError("WRITE_FAILED", `${name} cannot be committed: it was aborted.`);
      if (uploadId === undefined) {
        await (await request("PUT", {}, buffer.subarray(0, filled), condition)).body?.cancel();
      } else {
        if (filled > 0) await uploadPart();
        const parts = etags.map((etag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag}</ETag></Part>`);
        const list = new TextEncoder().encode(`<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`);
        // S3 may say 200 first and fail afterwards: only the document tells.
        field(await (await request("POST", { uploadId }, list, { "content-type": "application/xml", ...condition })).text(), "ETag", name);
      }
      state = "committed";
    },
    async abort() {
      if (state !== "open") return;
      state = "aborted";
      filled = 0;
      if (uploadId !== undefined) await (await request("DELETE", { uploadId })).body?.cancel();
    },
  };
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The text of an element of S3's answers, which are small and flat. */
function field(xml: string, element: string, name: string): string {
  const found = new RegExp(`<${element}>([^<]+)</${element}>`).exec(xml)?.[1];
  if (found === undefined) throw unexpected(name, `a document without <${element}>`);
  return found;
}

const unexpected = (name: string, what: string): CheckpointSourceError =>
  new CheckpointSourceError("WRITE_FAILED", `${name} could not be written: the server answered with ${what}.`, { retryable: true });
