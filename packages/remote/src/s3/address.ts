import { CheckpointConfigError, type S3Credentials } from "@ckptkit/core";

/** An object in a bucket. */
export interface S3Address {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string | undefined;
}

/** How a bucket is reached. */
export interface S3Options {
  /** Region of the bucket; AWS_REGION or AWS_DEFAULT_REGION when left out, else us-east-1. AWS itself tells when it is another. */
  region?: string | undefined;
  /** Address of an S3-compatible server; AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL when left out, else AWS itself. */
  endpoint?: string | undefined;
  /** Where the bucket stands in addresses: in the host name, in the path, or (auto) in the path for servers other than AWS. */
  addressing?: "auto" | "virtual" | "path" | undefined;
  /** Asks without any signature, as public buckets allow. */
  anonymous?: boolean | undefined;
  /** What signs the requests; found by the platform (environment, profile ...) when left out. */
  credentials?: S3Credentials | undefined;
  /** Version of the object, in a bucket that keeps versions. */
  versionId?: string | undefined;
}

/** Whether an address names an object in S3. */
export const isS3Address = (uri: string): boolean => /^s3a?:\/\//i.test(uri);

/**
 * Takes `s3://bucket/key` apart. The key is taken literally, as the AWS command line does: nothing in it is percent-decoded. A
 * last `?versionId=...` names a version.
 *
 * @throws {CheckpointConfigError} INVALID_ARGUMENT
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
 * @example parseS3Address("s3://models/run 7/last.ckpt") // { bucket: "models", key: "run 7/last.ckpt" }
 */
export function parseS3Address(uri: string): S3Address {
  const match = /^s3a?:\/\/([^/]*)(?:\/(.*?)(?:\?versionId=([^?&]+))?)?$/is.exec(uri);
  const [, bucket = "", key = "", versionId] = match ?? [];
  if (!match || !/^[a-z0-9](?:[\w.-]{1,253}[a-z0-9])$/i.test(bucket) || bucket.includes("..")) {
    throw badAddress(bucket === "" ? "it names no bucket" : `${JSON.stringify(bucket)} is not the name of a bucket`);
  }
  if (key === "" || key.endsWith("/")) throw badAddress("it names no object in the bucket, only a bucket or a folder");
  // HTTP addresses cannot hold such segments: every client resolves them, and would ask for another object.
  if (key.split("/").some((segment) => segment === "." || segment === "..")) throw badAddress('its key has a part "." or ".."');
  return { bucket, key, ...(versionId !== undefined && { versionId }) };
}

function badAddress(why: string): CheckpointConfigError {
  return new CheckpointConfigError("INVALID_ARGUMENT", `The S3 address cannot be used: ${why}.`, {
    suggestions: ["Write it as s3://BUCKET/KEY, for instance s3://my-models/run-1/last.ckpt."],
  });
}

/** The address of an object on its server. */
export function objectAddress({ bucket, key, versionId }: S3Address, { endpoint, addressing = "auto" }: S3Options, region: string): URL {
  const server = endpoint === undefined ? `https://s3.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}` : endpoint;
  let url: URL;
  try {
    url = new URL(server);
  } catch {
    throw badEndpoint("it is not a valid URL");
  }
  if (!/^https?:$/.test(url.protocol)) throw badEndpoint("it does not begin with https:// or http://");
  if (url.username || url.password || url.search) throw badEndpoint("it holds credentials or a query");
  // Dots and capitals in a bucket's name do not fit into a host name under a certificate for *.s3.REGION.amazonaws.com.
  const fitsHost = /^[a-z0-9-]{3,63}$/.test(bucket);
  const inPath = addressing === "path" || (addressing === "auto" && (endpoint !== undefined || !fitsHost));
  if (!inPath) url.host = `${bucket}.${url.host}`;
  const path = [...(inPath ? [bucket] : []), ...key.split("/")].map(encodeSegment).join("/");
  const result = new URL(`${url.origin}${url.pathname.replace(/\/$/, "")}/${path}`);
  if (versionId !== undefined) result.searchParams.set("versionId", versionId);
  return result;
}

function badEndpoint(why: string): CheckpointConfigError {
  return new CheckpointConfigError("INVALID_ARGUMENT", `The endpoint of the S3 server cannot be used: ${why}.`, {
    suggestions: ["Give its address alone: https://storage.example.org or http://127.0.0.1:9000."],
  });
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html UriEncode: all but the unreserved characters */
const encodeSegment = (segment: string): string =>
  encodeURIComponent(segment).replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);
