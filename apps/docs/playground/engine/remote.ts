import { type BrowserPlatform, browserPlatform, rangeCache } from "@ckptkit/browser";
import { CheckpointError, looksLikeCheckpoint } from "@ckptkit/core";
import type { OpenAnswer } from "./open.js";

/** How S3 is reached. Kept in memory only. */
export interface S3Settings {
  readonly region?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly accessKeyId?: string | undefined;
  readonly secretAccessKey?: string | undefined;
  readonly sessionToken?: string | undefined;
}

/** An address, and what it is reached with. */
export interface RemoteRequest {
  readonly address: string;
  readonly s3?: S3Settings | undefined;
  /** For the Hugging Face Hub. */
  readonly token?: string | undefined;
}

/** Ranges that were read before, kept by the browser between visits. */
const cache = rangeCache();

/** What reaches an address with the credentials that a person gave for it. */
export function platformFor({ s3, token }: RemoteRequest): BrowserPlatform {
  const { accessKeyId, secretAccessKey, sessionToken, region, endpoint } = s3 ?? {};
  return browserPlatform({
    cache,
    remote: { huggingFace: { token: token || undefined }, s3: { region: region || undefined, endpoint: endpoint || undefined } },
    s3Credentials: accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey, sessionToken: sessionToken || undefined } : undefined,
  });
}

/** Parameters that grant access to whoever has the address: they are kept out of names, links and lists. */
const SECRET_PARAMETER =
  /^(x-amz-(signature|credential|security-token)|x-goog-(signature|credential)|signature|sig|token|access_token|key-pair-id|awsaccesskeyid)$/i;

/** Whether an address alone grants access: it is signed, or holds a password. */
export function hasSecret(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { username, password, searchParams } = new URL(address);
  return username !== "" || password !== "" || [...searchParams.keys()].some((key) => SECRET_PARAMETER.test(key));
}

/** An address for people: of a web address, its host and path. */
export function withoutSecrets(address: string): string {
  if (!/^https?:/i.test(address) || !URL.canParse(address)) return address;
  const { host, pathname } = new URL(address);
  return `${host}${pathname}`;
}

/** A repository's address names no file; the error lists the checkpoints in it. @throws any other error */
export function chooseFromRepository(address: string, error: unknown): OpenAnswer {
  const listed = error instanceof CheckpointError ? error.details.checkpoints : undefined;
  if (!(error instanceof CheckpointError) || error.code !== "INVALID_ARGUMENT" || !Array.isArray(listed) || listed.length === 0)
    throw error;
  const names = listed.filter((name): name is string => typeof name === "string" && looksLikeCheckpoint(name));
  const candidates = names.map((name) => ({ id: `${address.replace(/\/$/, "")}/${name}`, name, bytes: undefined, about: "" }));
  return { kind: "choose", from: address, candidates };
}
