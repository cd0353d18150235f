import type { ErrorCode } from "./error-codes.js";

/** What an error carries besides its message. */
export interface ErrorInit {
  /** What was read, expected and found, as plain JSON. Never holds credentials. */
  details?: Record<string, unknown>;
  /** What the reader of the message can try next, most promising first. */
  suggestions?: readonly string[];
  cause?: unknown;
}

/**
 * The root of every error that ckptkit throws on purpose. `code` is stable and meant for programs; `message` says what was
 * read, expected and found; `suggestions` say what to try.
 *
 * @example
 * try { await openCheckpoint("model.ckpt"); }
 * catch (error) { if (error instanceof CheckpointError) console.error(error.code, error.suggestions); }
 */
export class CheckpointError extends Error {
  override readonly name: string = "CheckpointError";
  readonly code: ErrorCode;
  readonly details: Record<string, unknown>;
  readonly suggestions: readonly string[];

  constructor(code: ErrorCode, message: string, init: ErrorInit = {}) {
    super(message, init.cause === undefined ? undefined : { cause: init.cause });
    this.code = code;
    this.details = init.details ?? {};
    this.suggestions = init.suggestions ?? [];
  }

  /** The error as plain JSON, the form that `--json` prints. */
  toJSON(): { code: ErrorCode; message: string; details: Record<string, unknown>; suggestions: readonly string[] } {
    return { code: this.code, message: this.message, details: this.details, suggestions: this.suggestions };
  }
}

/** Nothing is at the path or address. */
export class CheckpointNotFoundError extends CheckpointError {
  override readonly name = "CheckpointNotFoundError";
}

/** The bytes were reached, but are not a readable checkpoint. */
export class CheckpointLoadError extends CheckpointError {
  override readonly name: string = "CheckpointLoadError";
}

/** The bytes contradict a checksum or a size that their container recorded. */
export class CheckpointIntegrityError extends CheckpointLoadError {
  override readonly name = "CheckpointIntegrityError";
}

/** The checkpoint is readable, but does not hold what the operation needs. */
export class CheckpointValidationError extends CheckpointError {
  override readonly name = "CheckpointValidationError";
}

/** The checkpoint and the model do not fit together. */
export class CheckpointIncompatibleError extends CheckpointError {
  override readonly name = "CheckpointIncompatibleError";
}

/** An option, argument or configuration value cannot be used. */
export class CheckpointConfigError extends CheckpointError {
  override readonly name = "CheckpointConfigError";
}

/** A source or destination of bytes failed. `retryable` tells whether the same call may succeed later. */
export class CheckpointSourceError extends CheckpointError {
  override readonly name: string = "CheckpointSourceError";
  readonly retryable: boolean;
  /** How long the other side asked to wait before the next try, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, init: ErrorInit & { retryable?: boolean; retryAfterMs?: number } = {}) {
    super(code, message, init);
    this.retryable = init.retryable ?? false;
    this.retryAfterMs = init.retryAfterMs;
  }
}

/** An operation ran out of its time. */
export class CheckpointTimeoutError extends CheckpointSourceError {
  override readonly name = "CheckpointTimeoutError";

  constructor(operation: string, timeoutMs: number, init: ErrorInit = {}) {
    super("TIMEOUT", `${operation} did not finish within ${timeoutMs / 1000} s.`, {
      ...init,
      details: { ...init.details, operation, timeoutMs },
      retryable: true,
    });
  }
}
