import type { ByteSource } from "@ckptkit/core";
import { isHttpAddress, isHuggingFaceAddress, isMlflowAddress, isS3Address, unsupportedAddress } from "./addresses.js";
import { type HuggingFaceOptions, huggingFaceSource } from "./hugging-face/source.js";
import { mlflowSource } from "./mlflow/source.js";
import type { MlflowOptions } from "./mlflow/tracking-server.js";
import { openHttp } from "./open-http.js";
import type { RemoteHost, TransferOptions } from "./remote-options.js";
import type { S3Options } from "./s3/address.js";
import { s3Source } from "./s3/source.js";

/** How {@link openRemote} opens: what every protocol takes, and what single ones take besides. */
export interface OpenRemoteOptions extends TransferOptions {
  s3?: S3Options | undefined;
  huggingFace?: HuggingFaceOptions | undefined;
  mlflow?: MlflowOptions | undefined;
}

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
