import { CheckpointConfigError, CheckpointSourceError, type S3Credentials, type SignalOptions } from "@ckptkit/core";
import { type AwsProfile, readAwsProfile } from "./aws-profile.js";

/** What the AWS SDK's chain of providers is in. */
const CHAIN_PACKAGE = "@aws-sdk/credential-provider-node";

/** Settings of the environment that lead to credentials only by asking a server. */
const ASKING = ["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"];

/**
 * The credentials of this machine's user, as the AWS command line finds them: key pairs in the environment and in the shared files by
 * itself; single sign-on, roles, programs, containers and machines through the AWS SDK's own chain, where that package is installed. It is
 * loaded only when it is needed. Undefined when there are none.
 *
 * @throws {CheckpointConfigError} INVALID_ARGUMENT when a profile needs that package and it is not installed
 * @throws {CheckpointSourceError} ACCESS_DENIED when a login has ended or a role is refused
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
 */
export async function nodeS3Credentials({ signal }: SignalOptions = {}): Promise<S3Credentials | undefined> {
  signal?.throwIfAborted();
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_PROFILE } = process.env;
  if (AWS_ACCESS_KEY_ID && AWS_SECRET_ACCESS_KEY && !AWS_PROFILE) {
    return { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY, sessionToken: AWS_SESSION_TOKEN || undefined };
  }
  const profile = await readAwsProfile();
  if (profile?.credentials && profile.needs.length === 0) return profile.credentials;
  return orAborted(fromChain(profile), signal);
}

/** How long what was found, or that nothing was, holds good: a question to a machine's own server may take seconds. */
const REMEMBERED_MS = 5 * 60_000;
/** Temporary credentials are asked for anew this long before they end. */
const RENEW_BEFORE_MS = 3 * 60_000;

/** The same, asked once for many requests. */
export function rememberedS3Credentials(): typeof nodeS3Credentials {
  let found: Promise<S3Credentials | undefined> | undefined;
  let until = 0;
  return (options = {}) => {
    if (found && Date.now() < until) return orAborted(found, options.signal);
    until = Date.now() + REMEMBERED_MS;
    // Without the signal of the first who asks: others wait for the same answer.
    const asked = nodeS3Credentials();
    found = asked;
    asked.then(
      (credentials) => {
        if (credentials?.expiresAt !== undefined) until = Math.min(until, credentials.expiresAt - RENEW_BEFORE_MS);
      },
      () => {
        if (found === asked) found = undefined;
      },
    );
    return orAborted(asked, options.signal);
  };
}

/** The SDK's chain takes no signal. */
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  signal.throwIfAborted();
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
  });
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener("abort", stop));
}

async function fromChain(profile: AwsProfile | undefined): Promise<S3Credentials | undefined> {
  const chain = await loadChain();
  if (!chain) {
    const needs = [...(profile?.needs ?? []), ...ASKING.filter((name) => process.env[name])];
    if (needs.length > 0) throw chainMissing(profile?.name, needs);
    return undefined;
  }
  try {
    const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore };
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = await chain.defaultProvider({ logger: silent })();
    return { accessKeyId, secretAccessKey, sessionToken, expiresAt: expiration?.getTime() };
  } catch (error) {
    if (error instanceof Error && /Could not load credentials from any providers/.test(error.message)) return undefined;
    const why = error instanceof Error ? error.message : String(error);
    throw new CheckpointSourceError("ACCESS_DENIED", `The credentials for AWS could not be obtained: ${why}`, {
      details: { profile: profile?.name },
      suggestions: ["Log in again (aws sso login), or check the profile (AWS_PROFILE, ~/.aws/config)."],
    });
  }
}

async function loadChain(): Promise<typeof import("@aws-sdk/credential-provider-node") | undefined> {
  try {
    return await import("@aws-sdk/credential-provider-node");
  } catch (error) {
    // Node, Yarn's Plug'n'Play and what bundlers put in its place have their own codes for its absence, or none; all name it.
    if (error instanceof Error && error.message.includes(CHAIN_PACKAGE)) return undefined;
    throw error;
  }
}

const ignore = (): void => undefined;

const chainMissing = (profile: string | undefined, needs: readonly string[]): CheckpointConfigError =>
  new CheckpointConfigError(
    "INVALID_ARGUMENT",
    `The credentials for AWS${profile === undefined ? "" : ` (profile ${profile})`} come from ${needs.join(", ")}, which needs the package ${CHAIN_PACKAGE}, and that is not installed.`,
    {
      details: { profile, needs },
      suggestions: [`npm install ${CHAIN_PACKAGE}`, "Or give a key pair: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."],
    },
  );
