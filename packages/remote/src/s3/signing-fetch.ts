import type { FetchLike } from "@ckptkit/core";
import { AwsV4Signer } from "aws4fetch";
import type { GetCredentials } from "./credentials.js";
import { isRefusal, readErrorCode, s3Error } from "./errors.js";

/** How {@link signingFetch} asks. */
export interface SigningInit {
  /** The object's address, as it is in a region. */
  readonly addressIn: (region: string) => URL;
  readonly region: string;
  readonly credentials: GetCredentials;
  readonly fetch: FetchLike;
  /** What people hear of the object. */
  readonly name: string;
  /** What is being done to the object, for messages: `read` when left out. */
  readonly deed?: "read" | "written" | undefined;
  /** Hears the version of the object that was answered with. */
  readonly onVersion?: ((versionId: string) => void) | undefined;
}

/**
 * A `fetch` for one object of S3: signs every request anew, follows the bucket to its region, and turns S3's refusals into errors.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export function signingFetch({ addressIn, credentials, fetch, name, deed, onVersion, ...init }: SigningInit): FetchLike {
  let { region } = init;
  const send = async (requestInit: RequestInit): Promise<{ answer: Response; signed: boolean }> => {
    const signer = await credentials({ signal: requestInit.signal ?? undefined });
    const url = addressIn(region).href;
    if (!signer) return { answer: await fetch(url, requestInit), signed: false };
    const { accessKeyId, secretAccessKey, sessionToken } = signer;
    const request = new AwsV4Signer({
      url,
      method: requestInit.method ?? "GET",
      headers: requestInit.headers ?? {},
      accessKeyId,
      secretAccessKey,
      ...(sessionToken !== undefined && { sessionToken }),
      region,
      service: "s3",
    });
    const signedRequest = await request.sign();
    // A redirect is never followed: it would carry the session token to another host, with a signature that is not for it.
    const answer = await fetch(url, { ...requestInit, headers: signedRequest.headers, redirect: "manual" });
    return { answer, signed: true };
  };

  return async (_, requestInit) => {
    let { answer, signed } = await send(requestInit);
    const home = answer.headers.get("x-amz-bucket-region");
    if (isRefusal(answer.status) && home !== null && home !== region && /^[a-z0-9-]{2,40}$/.test(home)) {
      await answer.body?.cancel();
      region = home;
      ({ answer, signed } = await send(requestInit));
    }
    if (isRefusal(answer.status)) throw s3Error({ name, answer, code: await readErrorCode(answer), signed, region, deed });
    const versionId = answer.headers.get("x-amz-version-id");
    if (versionId !== null && versionId !== "null") onVersion?.(versionId);
    return answer;
  };
}
