import { type RemoteHost, variable } from "../remote-options.js";
import type { S3Options } from "./address.js";

/** The region of requests that name none, which every bucket's server knows how to correct. */
const DEFAULT_REGION = "us-east-1";

/** Region and endpoint: those that were given, or those of the environment. */
export function serverOf(options: S3Options, host: RemoteHost): { region: string; endpoint: string | undefined } {
  return {
    region: options.region ?? variable(host, "AWS_REGION", "AWS_DEFAULT_REGION") ?? DEFAULT_REGION,
    endpoint: options.endpoint ?? variable(host, "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
  };
}
