import type { FormatSignature, Probe } from "@ckptkit/core";
import { HDF5_BLOCK_BYTES } from "../hdf5/signature.js";
import { isZip, RECORD_BYTES, viewOf } from "../zip/records.js";

/** Members of a `.keras` archive. */
export const MEMBERS = { config: "config.json", metadata: "metadata.json", weights: "model.weights.h5" } as const;

/** The same as a list. */
export const MEMBER_NAMES: readonly string[] = [MEMBERS.config, MEMBERS.metadata, MEMBERS.weights];

/** How `.keras` models are told. */
export const kerasSignature: FormatSignature = { format: "keras", blockBytes: HDF5_BLOCK_BYTES, matches: isKeras };

/** A zip archive with the suffix, or whose first member is one of Keras'. */
function isKeras(probe: Probe): boolean {
  const { head, name } = probe;
  if (!isZip(probe) || head.length < RECORD_BYTES.local) return false;
  const member = head.subarray(RECORD_BYTES.local, RECORD_BYTES.local + viewOf(head).getUint16(26, true));
  return /\.keras$/i.test(name) || MEMBER_NAMES.includes(String.fromCharCode(...member.subarray(0, 100)));
}
