import { type RetryOptions, withRetries } from "@ckptkit/core";

/** Runs an operation with the retries that were asked for. */
export const retrying = <T>(
  operation: () => Promise<T>,
  retry: RetryOptions | false | undefined,
  signal: AbortSignal | undefined,
): Promise<T> => (retry === false ? operation() : withRetries(operation, { ...retry, signal }));
