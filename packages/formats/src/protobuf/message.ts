import type { Bytes } from "@ckptkit/core";
import { readField, WIRE, type WireField } from "./wire.js";

const UTF8 = /* @__PURE__ */ new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * The fields of a message that is all in memory, one after another.
 *
 * @param fail makes the error for bytes that are no message, from the place where that shows.
 */
export function* messageFields(bytes: Bytes, fail: (at: number) => Error): Generator<WireField, void, void> {
  for (let at = 0; at < bytes.length; ) {
    const field = readField(bytes, at);
    if (!field || field.end > bytes.length) throw fail(at);
    yield field;
    at = field.end;
  }
}

/** The value of a field: its bytes. */
export const partOf = (bytes: Bytes, { start, end }: WireField): Bytes => bytes.subarray(start, end);

/** The value of a field as text; what is no UTF-8 in it becomes U+FFFD. */
export function textOf(bytes: Bytes, field: WireField): string {
  const value = partOf(bytes, field);
  // TextDecoder refuses views of shared memory.
  return UTF8.decode(value.buffer instanceof ArrayBuffer ? value : value.slice());
}

/** The value of a field of four bytes: an unsigned integer. */
export function fixed32Of(bytes: Bytes, { wire, start }: WireField): number {
  return wire === WIRE.fixed32 ? new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(start, true) : 0;
}
