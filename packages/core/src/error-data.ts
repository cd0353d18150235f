import type { ErrorCode } from "./error-codes.js";
import {
  CheckpointConfigError,
  CheckpointError,
  CheckpointIncompatibleError,
  CheckpointIntegrityError,
  CheckpointLoadError,
  CheckpointNotFoundError,
  CheckpointSourceError,
  CheckpointTimeoutError,
  CheckpointValidationError,
} from "./errors.js";

/** An error as plain data that can be sent to another thread. */
export interface ErrorData {
  readonly name: string;
  readonly message: string;
  readonly stack?: string | undefined;
  /** What a {@link CheckpointError} has besides. */
  readonly coded?: {
    readonly code: ErrorCode;
    readonly details: Record<string, unknown>;
    readonly suggestions: readonly string[];
    readonly retryable?: boolean | undefined;
    readonly retryAfterMs?: number | undefined;
  };
  readonly cause?: ErrorData | undefined;
}

/** Causes of causes that are kept. */
const MAX_CAUSES = 4;

const CLASSES = {
  CheckpointNotFoundError,
  CheckpointLoadError,
  CheckpointIntegrityError,
  CheckpointValidationError,
  CheckpointIncompatibleError,
  CheckpointConfigError,
} as const;

/** The plain data of an error. {@link errorFromData} makes the same error of it again. */
export function errorToData(error: unknown, causes = MAX_CAUSES): ErrorData {
  if (!(error instanceof Error)) return { name: "Error", message: String(error) };
  const { name, message, stack } = error;
  const cause = error.cause !== undefined && causes > 0 ? errorToData(error.cause, causes - 1) : undefined;
  const base = { name, message, stack, ...(cause && { cause }) };
  if (!(error instanceof CheckpointError)) return base;
  const { code, suggestions } = error;
  // Details are plain JSON by contract; through JSON, so that one that is not cannot keep the error from being sent.
  const details = JSON.parse(JSON.stringify(error.details)) as Record<string, unknown>; // an object before and after
  const retry = error instanceof CheckpointSourceError ? { retryable: error.retryable, retryAfterMs: error.retryAfterMs } : {};
  return { ...base, coded: { code, details, suggestions: [...suggestions], ...retry } };
}

/** The error that {@link errorToData} took apart: same class, code, message, details and suggestions. */
export function errorFromData(data: ErrorData): Error {
  const cause = data.cause && errorFromData(data.cause);
  const error = data.coded ? codedError(data, data.coded, cause) : plainError(data, cause);
  if (data.stack !== undefined) error.stack = data.stack;
  return error;
}

function plainError({ name, message }: ErrorData, cause: Error | undefined): Error {
  const error = new Error(message, cause && { cause });
  if (name !== error.name) error.name = name;
  return error;
}

function codedError({ name, message }: ErrorData, coded: NonNullable<ErrorData["coded"]>, cause: Error | undefined): CheckpointError {
  const { code, details, suggestions, retryable = false, retryAfterMs } = coded;
  const init = { details, suggestions, cause };
  if (name === "CheckpointTimeoutError" && typeof details.operation === "string" && typeof details.timeoutMs === "number") {
    return new CheckpointTimeoutError(details.operation, details.timeoutMs, init);
  }
  if (name === "CheckpointSourceError" || name === "CheckpointTimeoutError") {
    return new CheckpointSourceError(code, message, { ...init, retryable, ...(retryAfterMs !== undefined && { retryAfterMs }) });
  }
  const Class = Object.hasOwn(CLASSES, name) ? CLASSES[name as keyof typeof CLASSES] : CheckpointError; // a key, as just seen
  return new Class(code, message, init);
}
