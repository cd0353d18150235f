import { type CheckpointError, CheckpointSourceError } from "./errors.js";
import { parseHttpAddress } from "./http-address.js";
import { type HttpRequest, statusError } from "./http-answer.js";
import { type FetchLike, type HttpAnswer, sendRequest } from "./http-request.js";
import type { Json } from "./json.js";
import type { SignalOptions } from "./progress.js";

/** How {@link requestJson} asks. */
export interface JsonRequestOptions extends SignalOptions {
  fetch?: FetchLike | undefined;
  headers?: Readonly<Record<string, string>> | undefined;
  /** Longest time without any byte from the server, in milliseconds (60,000). */
  timeoutMs?: number | undefined;
  /** Sent as JSON, with POST. */
  body?: Json | undefined;
  /** What the error for a refusal is, where the server's own words tell more than the status. */
  onRefusal?: ((refusal: JsonRefusal) => CheckpointError | undefined) | undefined;
}

/** An answer that is not a success. */
export interface JsonRefusal {
  readonly status: number;
  readonly headers: Headers;
  /** Its body, if that is JSON. */
  readonly body: Json | undefined;
  /** The address without query and credentials. */
  readonly name: string;
}

/** Longest answer that is read: a listing of 100,000 files has about 10 MB. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;
/** Longest answer of a refusal that is read. */
const MAX_REFUSAL_BYTES = 64 * 1024;

/**
 * Asks an HTTP interface for JSON.
 *
 * @throws {CheckpointSourceError} HTTP_ANSWER when the answer is not JSON; ACCESS_DENIED, HTTP_STATUS, READ_FAILED, UNSUPPORTED_URI
 * @throws {CheckpointNotFoundError} NOT_FOUND
 * @example const { sha } = await requestJson("https://huggingface.co/api/models/gpt2");
 */
export async function requestJson(address: string | URL, options: JsonRequestOptions = {}): Promise<Json> {
  const { timeoutMs = 60_000, signal, body, onRefusal } = options;
  const { url, name, headers } = parseHttpAddress(address, options.headers);
  const fetch: FetchLike = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
  const sent = { Accept: "application/json", ...headers, ...(body !== undefined && { "Content-Type": "application/json" }) };
  const request: HttpRequest = { name };
  return sendRequest(
    request,
    { url, fetch, timeoutMs, headers: sent, signals: [signal], ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }) },
    async (answer) => {
      const { response } = answer;
      if (!response.ok) {
        const refusal = { status: response.status, headers: response.headers, name, body: parse(await text(answer, MAX_REFUSAL_BYTES)) };
        throw onRefusal?.(refusal) ?? statusError(request, response);
      }
      const found = await text(answer, MAX_BODY_BYTES);
      const json = parse(found);
      if (json === undefined) throw notJson(name, response, found);
      return json;
    },
  );
}

/** The body as text; undefined when it is longer than allowed. */
async function text({ chunks }: HttpAnswer, maxBytes: number): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let result = "";
  let bytes = 0;
  for await (const chunk of chunks()) {
    bytes += chunk.length;
    if (bytes > maxBytes) return undefined;
    result += decoder.decode(chunk, { stream: true });
  }
  return result + decoder.decode();
}

function parse(found: string | undefined): Json | undefined {
  try {
    return found === undefined ? undefined : (JSON.parse(found) as Json); // JSON.parse gives nothing else
  } catch {
    return undefined;
  }
}

function notJson(name: string, response: Response, found: string | undefined): CheckpointSourceError {
  const type = response.headers.get("content-type");
  const what = found === undefined ? `over ${MAX_BODY_BYTES} bytes` : /^\s*</.test(found) ? "a web page" : "something else";
  return new CheckpointSourceError("HTTP_ANSWER", `The answer of ${name} should be JSON, and is ${what}.`, {
    details: { name, status: response.status, contentType: type },
    suggestions: ["Check the address of the server: a log-in page or a proxy may answer in its place."],
  });
}
