import { CheckpointSourceError } from "@ckptkit/core";
import { isHuggingFaceAddress } from "./hugging-face/address.js";
import { isMlflowAddress } from "./mlflow/address.js";
import { isS3Address } from "./s3/address.js";

export { isHuggingFaceAddress, isMlflowAddress, isS3Address };

/** Whether an address is an `http:` or `https:` one. */
export const isHttpAddress = (uri: string): boolean => /^https?:\/\//i.test(uri);

/** Whether `openRemote` opens addresses of this kind. */
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
