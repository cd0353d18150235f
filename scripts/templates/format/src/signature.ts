import type { FormatSignature } from "@ckptkit/core";

/** What files of the format begin with. */
export const MAGIC = "template-name\n";

/** How files of the format are told. */
export const templateNameSignature: FormatSignature = {
  format: "template-name",
  matches: ({ head }) => String.fromCharCode(...head.subarray(0, MAGIC.length)) === MAGIC,
};
