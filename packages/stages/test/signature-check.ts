import { createHash, createHmac } from "node:crypto";

/** A request as it came over the wire. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query, encoded as they were sent. */
  readonly target: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** Who may ask. */
export interface Account {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** What is wrong with a signature, in S3's own words. */
export type SignatureProblem =
  | "AccessDenied"
  | "InvalidAccessKeyId"
  | "InvalidToken"
  | "RequestTimeTooSkewed"
  | "AuthorizationHeaderMalformed"
  | "SignatureDoesNotMatch"
  | "MissingSecurityHeader";

const MAX_SKEW_MS = 15 * 60_000;

const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html UriEncode */
const uriEncode = (text: string): string =>
  [...Buffer.from(text, "utf8")]
    .map((byte) => {
      const letter = String.fromCharCode(byte);
      return /[A-Za-z0-9\-._~]/.test(letter) ? letter : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    })
    .join("");

const canonicalPath = (path: string): string =>
  path
    .split("/")
    .map((segment) => uriEncode(decodeURIComponent(segment)))
    .join("/");

function canonicalQuery(query: string, without?: string): string {
  return query
    .split("&")
    .filter((pair) => pair !== "" && pair.split("=")[0] !== without)
    .map((pair) => {
      const [name = "", value = ""] = pair.split("=");
      return `${uriEncode(decodeURIComponent(name))}=${uriEncode(decodeURIComponent(value))}`;
    })
    .sort()
    .join("&");
}

interface Signing {
  request: SignedRequest;
  date: string;
  scope: string;
  signedHeaders: string;
  payload: string;
  without?: string;
}

function stringToSign({ request, date, scope, signedHeaders, payload, without }: Signing): string {
  const [path = "/", query = ""] = request.target.split("?", 2);
  const headers = signedHeaders.split(";").map((name) => `${name}:${(request.headers[name] ?? "").trim().replace(/\s+/g, " ")}\n`);
  const canonical = [request.method, canonicalPath(path), canonicalQuery(query, without), headers.join(""), signedHeaders, payload].join(
    "\n",
  );
  return ["AWS4-HMAC-SHA256", date, scope, sha256(canonical)].join("\n");
}

/** The signature of Signature Version 4. */
function signatureOf(secret: string, scope: string, text: string): string {
  const key = scope.split("/").reduce<string | Buffer>((inner, part) => hmac(inner, part), `AWS4${secret}`);
  return hmac(key, text).toString("hex");
}

/**
 * Checks a signature of version 4 as strictly as S3 does, header or query; undefined when it is right. Written from Amazon's
 * description, with nothing from the code under test.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
export function checkSignature(request: SignedRequest, account: Account, region: string, now: number): SignatureProblem | undefined {
  const query = new URLSearchParams(request.target.split("?", 2)[1] ?? "");
  const authorization = request.headers.authorization;
  if (authorization === undefined && !query.has("X-Amz-Signature")) return "AccessDenied";
  const match = /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(authorization ?? "");
  if (authorization !== undefined && !match) return "AuthorizationHeaderMalformed";
  const [
    ,
    credential = query.get("X-Amz-Credential") ?? "",
    signedHeaders = query.get("X-Amz-SignedHeaders") ?? "",
    signature = query.get("X-Amz-Signature") ?? "",
  ] = match ?? [];
  const date = (match ? request.headers["x-amz-date"] : query.get("X-Amz-Date")) ?? "";
  const token = (match ? request.headers["x-amz-security-token"] : query.get("X-Amz-Security-Token")) ?? undefined;
  const [id = "", ...scopeParts] = credential.split("/");
  const scope = scopeParts.join("/");
  if (id !== account.accessKeyId) return "InvalidAccessKeyId";
  if (token !== account.sessionToken) return "InvalidToken";
  if (scope !== `${date.slice(0, 8)}/${region}/s3/aws4_request`) return "AuthorizationHeaderMalformed";
  const names = signedHeaders.split(";");
  const unsigned = Object.keys(request.headers).filter((name) => name.startsWith("x-amz-") && !names.includes(name));
  if (!names.includes("host") || unsigned.length > 0) return "AccessDenied";
  const time = Date.parse(date.replace(/^(....)(..)(..T..)(..)(..)Z$/, "$1-$2-$3:$4:$5Z"));
  if (match && !(Math.abs(now - time) <= MAX_SKEW_MS)) return "RequestTimeTooSkewed";
  if (!match && !(now >= time - MAX_SKEW_MS && now <= time + Number(query.get("X-Amz-Expires")) * 1000)) return "AccessDenied";
  const payload = match ? request.headers["x-amz-content-sha256"] : "UNSIGNED-PAYLOAD";
  if (payload === undefined) return "MissingSecurityHeader";
  const text = stringToSign({ request, date, scope, signedHeaders, payload, ...(!match && { without: "X-Amz-Signature" }) });
  return signatureOf(account.secretAccessKey, scope, text) === signature ? undefined : "SignatureDoesNotMatch";
}

/** A signed address for reading an object, valid for a while from `now` on. */
export function presign(address: string, account: Account, region: string, now: number, expiresSeconds: number): string {
  const url = new URL(address);
  const date = new Date(now).toISOString().replace(/[:-]|\.\d{3}/g, "");
  const scope = `${date.slice(0, 8)}/${region}/s3/aws4_request`;
  const parameters = {
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": `${account.accessKeyId}/${scope}`,
    "X-Amz-Date": date,
    "X-Amz-Expires": String(expiresSeconds),
    ...(account.sessionToken !== undefined && { "X-Amz-Security-Token": account.sessionToken }),
    "X-Amz-SignedHeaders": "host",
  };
  const query = Object.entries(parameters).map(([name, value]) => `${name}=${uriEncode(value)}`);
  const target = `${url.pathname}?${query.join("&")}`;
  const request = { method: "GET", target, headers: { host: url.host } };
  const text = stringToSign({ request, date, scope, signedHeaders: "host", payload: "UNSIGNED-PAYLOAD" });
  return `${url.origin}${target}&X-Amz-Signature=${signatureOf(account.secretAccessKey, scope, text)}`;
}
