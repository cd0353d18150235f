import type { ByteSource } from "@ckptkit/core";
import { openHttp } from "../open-http.js";
import { fetchOf, type RemoteHost, type TransferOptions } from "../remote-options.js";
import { objectAddress, parseS3Address, type S3Options } from "./address.js";
import { credentialsFor } from "./credentials.js";
import { serverOf } from "./server.js";
import { signingFetch } from "./signing-fetch.js";

/**
 * An object in S3 or on a server that speaks its language, read by range with signed requests (Signature Version 4).
 *
 * @throws {CheckpointConfigError} INVALID_ARGUMENT for an address or endpoint that cannot be used
 * @throws {CheckpointNotFoundError} NOT_FOUND
 * @throws {CheckpointSourceError} ACCESS_DENIED, HTTP_STATUS, READ_FAILED ...
 * @example const source = await s3Source("s3://my-models/last.ckpt", platform, { region: "eu-central-1" });
 */
export async function s3Source(uri: string, host: RemoteHost, options: S3Options & TransferOptions = {}): Promise<ByteSource> {
  const parsed = parseS3Address(uri);
  const object = { ...parsed, versionId: options.versionId ?? parsed.versionId };
  const { region, endpoint } = serverOf(options, host);
  const addressIn = (current: string): URL => objectAddress(object, { ...options, endpoint }, current);
  const name = `s3://${object.bucket}/${object.key}`;
  let versionId = object.versionId;
  const source = await openHttp(addressIn(region), host, {
    ...options,
    name,
    fetch: signingFetch({
      addressIn,
      region,
      credentials: credentialsFor(options, host),
      fetch: fetchOf(host),
      name,
      onVersion: (found) => {
        versionId ??= found;
      },
    }),
  });
  return { ...source, address: name, version: { ...source.version, ...(versionId !== undefined && { versionId }) } };
}
