import { CheckpointConfigError, CheckpointSourceError } from "./errors.js";

/** Where requests go, and the name under which people hear of it. */
export interface HttpAddress {
  /** The address without user name, password and fragment. Its query may hold a signature: for requests only. */
  readonly url: string;
  /** The address without its query: for messages. */
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Takes an address apart. A user name and password become an Authorization header (fetch refuses them in addresses); the query
 * stays out of the name, because signed addresses carry their signature there.
 *
 * @throws {CheckpointSourceError} UNSUPPORTED_URI
 * @throws {CheckpointConfigError} INVALID_ARGUMENT for headers that HTTP does not allow.
 */
export function parseHttpAddress(address: string | URL, headers: Readonly<Record<string, string>> = {}): HttpAddress {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    // The message of the platform's own error repeats the address, credentials and all: it is not passed on.
    throw new CheckpointSourceError("UNSUPPORTED_URI", "The address is not a valid URL.", {
      suggestions: ["Give an absolute address such as https://example.org/model.ckpt."],
    });
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new CheckpointSourceError("UNSUPPORTED_URI", `Addresses of the kind ${url.protocol} cannot be read over HTTP.`, {
      details: { protocol: url.protocol },
      suggestions: ["Give an address that begins with https:// or http://."],
    });
  }
  const sent: Record<string, string> = { ...headers };
  try {
    new Headers(sent);
  } catch {
    throw new CheckpointConfigError("INVALID_ARGUMENT", `One of the headers ${Object.keys(sent).join(", ")} is not allowed in HTTP.`, {
      details: { headers: Object.keys(sent) },
      suggestions: ["Header values hold visible Latin-1 characters only; look for a line break at the end of a token."],
    });
  }
  if ((url.username || url.password) && !Object.keys(sent).some((name) => name.toLowerCase() === "authorization")) {
    sent.Authorization = basicCredentials(url);
  }
  url.username = "";
  url.password = "";
  url.hash = "";
  return { url: url.href, name: `${url.origin}${url.pathname}`, headers: sent };
}

/** @see https://www.rfc-editor.org/rfc/rfc7617#section-2 */
function basicCredentials({ username, password }: URL): string {
  const bytes = new TextEncoder().encode(`${decodePercent(username)}:${decodePercent(password)}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
