import type { FormatSignature } from "@ckptkit/core";
import { isManifest } from "../ocdbt/magic.js";

/** Files that describe one item, and several. */
const NAMES = /(?:^|[/\\])_(?:CHECKPOINT_)?METADATA$/;

/** How checkpoints of Orbax are told: by `_METADATA` or `_CHECKPOINT_METADATA`. */
export const orbaxSignature: FormatSignature = {
  format: "orbax",
  matches: ({ head, name }) => NAMES.test(name) && /^\s*\{/.test(String.fromCharCode(...head.subarray(0, 64))),
};

/** How databases of TensorStore are told: by `manifest.ocdbt`. */
export const ocdbtSignature: FormatSignature = { format: "ocdbt", matches: ({ head }) => isManifest(head) };
