import { type ByteSource, CheckpointSourceError } from "@ckptkit/core";
import { isHuggingFaceAddress } from "./hugging-face/address.js";
import { type HuggingFaceOptions, huggingFaceSource } from "./hugging-face/source.js";
import { isMlflowAddress } from "./mlflow/address.js";
import { mlflowSource } from "./mlflow/source.js";
import type { MlflowOptions } from "./mlflow/tracking-server.js";
import { openHttp } from "./open-http.js";
import type { RemoteHost, TransferOptions } from "./remote-options.js";
import { isS3Address, type S3Options } from "./s3/address.js";
import { s3Source } from "./s3/source.js";

/** How {@link openRemote} opens: what every protocol takes, and what single ones take besides. */
export interface OpenRemoteOptions extends TransferOptions {
  s3?: S3Options | undefined;
  huggingFace?: HuggingFaceOptions | undefined;
  mlflow?: MlflowOptions | undefined;
}

/** Whether an address is an `http:` or `https:` one. */
export const isHttpAddress = (uri: string): boolean => /^https?:\/\//i.test(uri);

/** Whether {@link openRemote} opens addresses of this kind. */
export const isRemoteAddress = (uri: string): boolean =>
  isHttpAddress(uri) || isS3Address(uri) || isHuggingFaceAddress(uri) || isMlflowAddress(uri);

/** What to do about addresses that people try and that have no source here. */
const HINTS: Readonly<Record<string, string>> = {
  gs: "Make a signed https:// address for the object (gcloud storage sign-url), or read the bucket through its S3 interface: s3://BUCKET/KEY with the endpoint https://storage.googleapis.com.",
  azure: "Make a signed https:// address for the blob (az storage blob generate-sas).",
  abfss: "Make a signed https:// address for the blob (az storage blob generate-sas).",
  wasbs: "Make a signed https:// address for the blob (az storage blob generate-sas).",
  dbfs: "Copy the file to an object store or to this machine first (databricks fs cp).",
};

/**
 * Opens a file elsewhere by its address: `http:`, `https:`, `s3:`, `hf:`, and MLflow's `runs:`, `models:`, `mlflow-artifacts:`.
 *
 * @throws {CheckpointSourceError} UNSUPPORTED_URI, and what the protocol's source throws
 * @example const source = await openRemote("hf://openai-community/gpt2/model.safetensors", platform);
 */
export async function openRemote(uri: string, host: RemoteHost, options: OpenRemoteOptions = {}): Promise<ByteSource> {
  if (isHttpAddress(uri)) return openHttp(uri, host, options);
  if (isS3Address(uri)) return s3Source(uri, host, { ...options, ...options.s3 });
  if (isHuggingFaceAddress(uri)) return huggingFaceSource(uri, host, { ...options, ...options.huggingFace });
  if (isMlflowAddress(uri)) return mlflowSource(uri, host, options);
  throw unsupportedAddress(uri);
}

/** The error for an address of a kind that nothing here opens. */
export function unsupportedAddress(uri: string): CheckpointSourceError {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(uri)?.[1]?.toLowerCase();
  const hint = scheme === undefined ? undefined : HINTS[scheme];
  return new CheckpointSourceError(
    "UNSUPPORTED_URI",
    scheme === undefined
      ? "This is not an address of a file elsewhere: it does not begin with a scheme such as https: or s3:."
      : `Addresses that begin with ${scheme}: cannot be read. Supported are https://, http://, s3://, hf://, runs:/ and models:/ (MLflow), and paths.`,
    { details: { scheme }, suggestions: hint === undefined ? [] : [hint] },
  );
}
