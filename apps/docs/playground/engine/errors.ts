import { CheckpointError, CheckpointSourceError } from "@ckptkit/core";
import * as Comlink from "comlink";

/** What of an error crosses between the engine and the page. */
export interface WireError {
  readonly code: string;
  readonly message: string;
  readonly suggestions: readonly string[];
  readonly details: Readonly<Record<string, unknown>>;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
}

/** An error of the engine, on the page's side: coded, with what to try. `ABORTED` stands for what a person cancelled. */
export class EngineError extends Error implements WireError {
  override readonly name = "EngineError";
  readonly code: string;
  readonly suggestions: readonly string[];
  readonly details: Readonly<Record<string, unknown>>;
  readonly retryable: boolean;

  constructor(wire: WireError) {
    super(wire.message);
    this.code = wire.code;
    this.suggestions = wire.suggestions;
    this.details = wire.details;
    this.retryable = wire.retryable;
  }
}

/** Any thrown value as plain data that can be cloned. */
export function toWire(error: unknown): WireError {
  if (error instanceof EngineError) {
    const { code, message, suggestions, details, retryable } = error;
    return { code, message, suggestions, details, retryable };
  }
  if (error instanceof CheckpointError) {
    const { code, message, suggestions, details } = error.toJSON();
    const retryable = error instanceof CheckpointSourceError && error.retryable;
    return { code, message, suggestions: [...suggestions], details: plainDetails(details), retryable };
  }
  const isAbort = error instanceof Error && error.name === "AbortError";
  if (isAbort) return { code: "ABORTED", message: "Cancelled.", suggestions: [], details: {}, retryable: true };
  return {
    code: "INTERNAL",
    message: error instanceof Error ? error.message : String(error),
    suggestions: ["Reload the page and try again. If it happens again, please report it with the name of the format."],
    details: { name: error instanceof Error ? error.name : typeof error },
    retryable: false,
  };
}

/** Any thrown value as an {@link EngineError}. */
export const toEngineError = (error: unknown): EngineError => (error instanceof EngineError ? error : new EngineError(toWire(error)));

/** Details are JSON by contract; what is not would keep the whole message from being cloned. */
function plainDetails(details: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return JSON.parse(JSON.stringify(details, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value)));
}

/** What Comlink hands to its handler of thrown values. */
interface Thrown {
  readonly value: unknown;
}

/**
 * Makes errors keep their code, suggestions and details between the two threads. Called once in each of them.
 *
 * @see https://github.com/GoogleChromeLabs/comlink#transfer-handlers-and-event-listeners
 */
export function installErrorTransfer(): void {
  const original = Comlink.transferHandlers.get("throw");
  if (!original) throw new Error("Comlink has no handler of thrown values any more.");
  const handler: Comlink.TransferHandler<Thrown, WireError> = {
    canHandle: (value): value is Thrown => original.canHandle(value),
    serialize: ({ value }) => [toWire(value), []],
    deserialize: (wire) => {
      throw new EngineError(wire);
    },
  };
  // The map holds handlers of any kind; Comlink itself puts typed ones in.
  Comlink.transferHandlers.set("throw", handler as Comlink.TransferHandler<unknown, unknown>);
}
