import { CheckpointConfigError, type S3Credentials, type SignalOptions } from "@ckptkit/core";
import { type RemoteHost, variable } from "../remote-options.js";
import type { S3Options } from "./address.js";

/** Temporary credentials are renewed this long before they end, so that none ends on its way. */
const RENEW_BEFORE_MS = 120_000;

/** Gives credentials that are valid now; undefined when requests are not to be signed. */
export type GetCredentials = (options?: SignalOptions) => Promise<S3Credentials | undefined>;

/** The credentials to sign with: those that were given, the platform's, or those of the environment, in this order. */
export function credentialsFor(options: S3Options, host: RemoteHost): GetCredentials {
  const { anonymous = false, credentials } = options;
  if (anonymous) return async () => undefined;
  if (credentials) {
    check(credentials);
    return async () => credentials;
  }
  let known: S3Credentials | undefined;
  return async (signalOptions) => {
    if (known && (known.expiresAt === undefined || known.expiresAt - Date.now() > RENEW_BEFORE_MS)) return known;
    known = (await host.s3Credentials?.(signalOptions)) ?? fromEnvironment(host);
    return known;
  };
}

/** @see https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html */
function fromEnvironment(host: RemoteHost): S3Credentials | undefined {
  const accessKeyId = variable(host, "AWS_ACCESS_KEY_ID");
  const secretAccessKey = variable(host, "AWS_SECRET_ACCESS_KEY");
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return { accessKeyId, secretAccessKey, sessionToken: variable(host, "AWS_SESSION_TOKEN") };
}

function check({ accessKeyId, secretAccessKey }: S3Credentials): void {
  if (accessKeyId !== "" && secretAccessKey !== "") return;
  throw new CheckpointConfigError("INVALID_ARGUMENT", "Credentials for S3 need both an access key id and a secret access key.", {
    suggestions: ["Give both, or neither (anonymous: true for public buckets)."],
  });
}
