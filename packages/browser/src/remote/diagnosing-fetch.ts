import { CheckpointSourceError, type FetchLike } from "@ckptkit/core";

/** What the error of a refused request has to say about the server. */
export const CORS_HEADERS =
  "Access-Control-Allow-Origin: <this site, or *> and Access-Control-Expose-Headers: Content-Range, Content-Length, Content-Encoding, ETag, Accept-Ranges, Last-Modified";

/**
 * A `fetch` that finds out why a request failed, where browsers say only "Failed to fetch": no network, a page over https that reads from
 * http, the page's own policy, or a server that is there and does not allow this site. Only requests that failed cost more.
 *
 * @throws {CheckpointSourceError} OFFLINE, MIXED_CONTENT, CSP_BLOCKED, CORS_BLOCKED; READ_FAILED when the server cannot be reached
 * @see https://fetch.spec.whatwg.org/#http-cors-protocol
 * @example const source = await httpSource(url, { fetch: diagnosingFetch() });
 */
export function diagnosingFetch(fetch: FetchLike = (url, init) => globalThis.fetch(url, init)): FetchLike {
  return async (url, init) => {
    try {
      return await fetch(url, init);
    } catch (error) {
      // Of its own accord fetch rejects with TypeErrors alone.
      if (!(error instanceof TypeError) || init.signal?.aborted) throw error;
      throw await diagnose(new URL(url, location.href), init, error);
    }
  };
}

async function diagnose(url: URL, init: RequestInit, cause: TypeError): Promise<CheckpointSourceError> {
  const page = globalThis.location;
  const name = `${url.origin}${url.pathname}`;
  const details = { name, origin: page.origin };
  if (!navigator.onLine) {
    return new CheckpointSourceError("OFFLINE", `${name} cannot be read: the browser has no network connection.`, {
      details,
      suggestions: ["Connect, and try again.", "Files of this machine can be opened without a connection."],
      retryable: true,
      cause,
    });
  }
  if (page.protocol === "https:" && url.protocol === "http:" && !isLoopback(url.hostname)) {
    return new CheckpointSourceError(
      "MIXED_CONTENT",
      `${name} cannot be read from here: this page came over https:, and browsers do not let it read from http: addresses.`,
      { details, suggestions: [`Try https://${url.host}${url.pathname}`, "Download the file and open the copy."], cause },
    );
  }
  const { reached, violation } = await probe(url);
  if (violation) {
    return new CheckpointSourceError(
      "CSP_BLOCKED",
      `${name} cannot be read from here: the Content-Security-Policy of this page does not allow requests to ${url.origin} (${violation}).`,
      { details: { ...details, directive: violation }, suggestions: [`Add ${url.origin} to connect-src in the page's policy.`], cause },
    );
  }
  if (url.origin === page.origin) return unreachable(name, details, cause);
  if (reached) return refused(name, url, init, details, cause);
  // An isolated page (Cross-Origin-Embedder-Policy) is not shown answers that do not opt in: then the probe tells nothing.
  return globalThis.crossOriginIsolated ? unknown(name, url, details, cause) : unreachable(name, details, cause);
}

/** Whether anything answers at an address, and the directive of the page's policy that kept the request from being sent. */
async function probe(url: URL): Promise<{ reached: boolean; violation: string | undefined }> {
  let violation: string | undefined;
  const listen = (event: Event): void => {
    if ("effectiveDirective" in event && "blockedURI" in event && String(event.blockedURI).startsWith(url.origin)) {
      violation = String(event.effectiveDirective);
    }
  };
  const scope: EventTarget = typeof document === "undefined" ? globalThis : document;
  scope.addEventListener("securitypolicyviolation", listen);
  try {
    // The answer to such a request is shown to nobody; that there is one is all that is asked. Sends no cookies and no credentials.
    await globalThis.fetch(url, {
      method: "HEAD",
      mode: "no-cors",
      credentials: "omit",
      cache: "no-store",
      signal: AbortSignal.timeout(5000),
    });
    return { reached: true, violation };
  } catch {
    // The event of a violation comes as a task of its own.
    await new Promise((resolve) => setTimeout(resolve, 20));
    return { reached: false, violation };
  } finally {
    scope.removeEventListener("securitypolicyviolation", listen);
  }
}

type Details = Readonly<Record<string, unknown>>;

function refused(name: string, url: URL, init: RequestInit, details: Details, cause: TypeError): CheckpointSourceError {
  const asked = preflightHeaders(init);
  const preflight =
    asked.length > 0
      ? `Because the request carries ${asked.join(", ")}, the server is asked first (OPTIONS): it must answer 2xx with Access-Control-Allow-Headers: ${[...asked, "Range"].join(", ")}.`
      : undefined;
  return new CheckpointSourceError(
    "CORS_BLOCKED",
    `${url.origin} does not allow pages of ${globalThis.location.origin} to read ${name}: it answers, but without the headers that would permit it (CORS).`,
    {
      details: { ...details, preflightHeaders: asked },
      suggestions: [
        "Download the file and open the copy: files of this machine need no permission.",
        `If the server is yours, let it send ${CORS_HEADERS}.`,
        ...(preflight === undefined ? [] : [preflight]),
        "If the address redirects, the server that it leads to has to allow it as well.",
      ],
      cause,
    },
  );
}

const unreachable = (name: string, details: Details, cause: TypeError): CheckpointSourceError =>
  new CheckpointSourceError("READ_FAILED", `The server of ${name} cannot be reached.`, {
    details,
    suggestions: [
      "Check the address for a mistake, and that the server runs.",
      "A blocker of advertisements, a proxy or a certificate that is not valid can also keep a page from reaching it: open the address in a tab of its own.",
    ],
    retryable: true,
    cause,
  });

const unknown = (name: string, url: URL, details: Details, cause: TypeError): CheckpointSourceError =>
  new CheckpointSourceError(
    "READ_FAILED",
    `${name} could not be read: ${url.origin} cannot be reached, or does not allow this page to read from it.`,
    {
      details,
      suggestions: [
        "Open the address in a tab of its own: if it loads there, the server has to allow this site.",
        `Such a server sends ${CORS_HEADERS}.`,
        "Download the file and open the copy.",
      ],
      retryable: true,
      cause,
    },
  );

/** Headers for which a browser asks the server before it sends a request. A single range `bytes=a-b` is not among them. @see https://fetch.spec.whatwg.org/#cors-safelisted-request-header */
function preflightHeaders({ headers }: RequestInit): string[] {
  const free = ["accept", "accept-language", "content-language", "content-type", "range"];
  return [...new Headers(headers).keys()].filter((name) => !free.includes(name));
}

/** Addresses of this machine count as secure. @see https://w3c.github.io/webappsec-secure-contexts/#is-origin-trustworthy */
const isLoopback = (host: string): boolean => /^(?:localhost|.*\.localhost|127(?:\.\d+){3}|\[::1\])$/i.test(host);
