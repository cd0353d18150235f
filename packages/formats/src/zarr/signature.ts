import type { FormatSignature } from "@ckptkit/core";

/** Names that only zarr has; what they hold is JSON, and says its version. */
const NAMES = /(?:^|[/\\])(?:\.zmetadata|\.zgroup|\.zarray|zarr\.json)$/;

/** How folders of zarr are told: by the file in them that describes them. */
export const zarrSignature: FormatSignature = {
  format: "zarr",
  matches: ({ head, name }) => NAMES.test(name) && /^\s*\{/.test(String.fromCharCode(...head.subarray(0, 64))),
};
