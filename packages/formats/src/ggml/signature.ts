import type { FormatSignature } from "@ckptkit/core";

/** The containers that ggml's programs wrote before GGUF, by their first four bytes: a little-endian number. */
const CONTAINERS: Readonly<Record<string, { name: string; hasVersion: boolean }>> = {
  lmgg: { name: "ggml", hasVersion: false },
  fmgg: { name: "ggmf", hasVersion: true },
  tjgg: { name: "ggjt", hasVersion: true },
  algg: { name: "ggla", hasVersion: true },
};
/** Bytes of that number. */
export const MAGIC_BYTES = 4;

/** Which of them a file begins as. */
export const containerOf = (head: Uint8Array): { name: string; hasVersion: boolean } | undefined => {
  const magic = String.fromCharCode(...head.subarray(0, MAGIC_BYTES));
  return Object.hasOwn(CONTAINERS, magic) ? CONTAINERS[magic] : undefined;
};

/** How the containers that came before GGUF are told. */
export const ggmlSignature: FormatSignature = { format: "ggml", matches: ({ head }) => containerOf(head) !== undefined };
