import type { Bytes } from "./byte-source.js";

/** Bytes in lower-case hexadecimal: a digest as people and other tools write it. */
export function hexText(bytes: Bytes): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
