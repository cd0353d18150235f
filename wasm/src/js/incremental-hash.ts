import type { Bytes } from "@ckptkit/core";

/** A hash in the making. `digest` leaves it as it was, so that more bytes can follow. */
export interface IncrementalHash {
  update(bytes: Bytes): void;
  digest(): Uint8Array;
}
