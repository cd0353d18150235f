import { type CheckpointError, CheckpointNotFoundError, CheckpointSourceError } from "@ckptkit/core";

/** Longest error document that is read: real ones have under 2 KB. */
const MAX_ERROR_BYTES = 16 * 1024;

/** Whether a status is a refusal (0 is a redirect as browsers show it); 304, 412 and 416 answer conditions and ranges, and are left to who asked. */
export const isRefusal = (status: number): boolean => (status >= 300 && ![304, 412, 416].includes(status)) || status === 0;

/**
 * The code in the error document that S3 answers with: `NoSuchKey`, `AccessDenied` ... Nothing else of it is used, as it repeats parts of
 * the request.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
export async function readErrorCode(answer: Response): Promise<string | undefined> {
  const reader = answer.body?.getReader();
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (let bytes = 0; reader && bytes < MAX_ERROR_BYTES; ) {
      const { done, value } = await reader.read();
      if (done) break;
      bytes += value.length;
      text += decoder.decode(value, { stream: true });
    }
  } catch {
    // The status alone must do.
  }
  reader?.cancel().catch(() => undefined);
  return /<Code>([A-Za-z0-9.]{1,60})<\/Code>/.exec(text)?.[1];
}

/** Codes that another try may not get, beside the statuses 429 and 5xx. */
const TRANSIENT = new Set(["RequestTimeout", "SlowDown", "InternalError", "ServiceUnavailable", "OperationAborted", "BadDigest"]);

/** What to try about refusals that have a reason of their own. */
const ADVICE: Readonly<Record<string, string>> = {
  SignatureDoesNotMatch: "The secret access key does not belong to the access key id, or a proxy changes requests on the way.",
  InvalidAccessKeyId: "The server does not know the access key id: look for credentials of another account or server.",
  ExpiredToken: "The temporary credentials have ended: make new ones (aws sso login).",
  InvalidToken: "The session token does not belong to the credentials: unset AWS_SESSION_TOKEN, or make new ones.",
  RequestTimeTooSkewed: "The clock of this machine differs from the server's by more than 15 minutes: set it.",
  AuthorizationHeaderMalformed: "The bucket may be in another region: give it (region, or AWS_REGION).",
  PermanentRedirect: "The bucket is in another region: give it (region, or AWS_REGION).",
  InvalidObjectState: "The object is archived (Glacier): restore it first.",
};

interface Refusal {
  name: string;
  answer: Response;
  code: string | undefined;
  signed: boolean;
  region: string;
  deed?: "read" | "written" | undefined;
}

/** The error for a refusal of S3. */
export function s3Error({ name, answer, code, signed, region, deed = "read" }: Refusal): CheckpointError {
  const { status } = answer;
  const said = status === 0 ? "with a redirect" : code === undefined ? `${status}` : `${status} ${code}`;
  const details = { name, status, s3Code: code, region };
  if (status === 404 || code === "NoSuchKey" || code === "NoSuchBucket" || code === "NoSuchVersion") {
    const what =
      code === "NoSuchBucket" ? "Its bucket does not exist" : code === "NoSuchVersion" ? "It has no such version" : "Nothing is there";
    return new CheckpointNotFoundError("NOT_FOUND", `There is no ${name}. ${what}: the server answered ${said}.`, {
      details,
      suggestions: ["Check bucket and key: capitals count, and keys do not begin with a slash.", "Look what is there: aws s3 ls"],
    });
  }
  const advice = ADVICE[code ?? (status < 400 ? "PermanentRedirect" : "")];
  if (status === 401 || status === 403 || (status === 400 && advice !== undefined)) {
    const unsigned =
      "No credentials were found, so the request was not signed: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE.";
    const rights =
      deed === "read"
        ? "The credentials need the right s3:GetObject for it; without s3:ListBucket an object that is absent looks like this, too."
        : "The credentials need the rights s3:PutObject and s3:AbortMultipartUpload for it.";
    return new CheckpointSourceError("ACCESS_DENIED", `${name} may not be ${deed}: the server answered ${said}.`, {
      details,
      suggestions: [...(advice ? [advice] : []), signed ? rights : unsigned],
    });
  }
  const retryable = status === 408 || status === 429 || (status >= 500 && status !== 501) || TRANSIENT.has(code ?? "");
  const seconds = /^\d{1,6}$/.exec(answer.headers.get("retry-after") ?? "");
  return new CheckpointSourceError("HTTP_STATUS", `The server answered ${said} to a request for ${name}.`, {
    details,
    suggestions: advice ? [advice] : retryable ? ["The server is busy or failing: try again later."] : [],
    retryable,
    ...(retryable && seconds && { retryAfterMs: Number(seconds[0]) * 1000 }),
  });
}
