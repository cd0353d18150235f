import { type ByteSource, checkRange } from "../src/index.js";

/** A read that reached a {@link gatedSource} and waits there. */
export interface GatedRead {
  start: number;
  end: number;
  signal: AbortSignal | undefined;
  finish(): void;
  fail(error: unknown): void;
}

/** A source whose reads wait until the test lets them finish or fail. An aborted signal ends them too. */
export function gatedSource(bytes: Uint8Array): ByteSource & { reads: GatedRead[] } {
  const reads: GatedRead[] = [];
  const source: ByteSource = {
    size: bytes.length,
    name: "gated",
    read(start, end, options) {
      checkRange(source, start, end);
      return new Promise((resolve, reject) => {
        const signal = options?.signal;
        signal?.addEventListener("abort", () => reject(signal.reason));
        reads.push({ start, end, signal, finish: () => resolve(bytes.slice(start, end)), fail: reject });
      });
    },
  };
  return { ...source, reads };
}

/** Lets everything that is ready go on. */
export const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));
