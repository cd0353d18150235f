import type { Bytes, FormatSignature, Probe } from "@ckptkit/core";
import { readVarint } from "../protobuf/wire.js";
import { isCheckpointState } from "./checkpoint-state.js";
import { isShardName } from "./file-names.js";
import { endsAsTable } from "./footer.js";
import { readHeader } from "./header.js";

/** Bytes of the header's value at the most. */
const MOST_HEADER_BYTES = 64;

/** How TensorFlow checkpoints are told: by any of their files. */
export const tfBundleSignature: FormatSignature = { format: "tf-bundle", matches: (probe) => tfBundlePart(probe) !== undefined };

/**
 * Which file of a TensorFlow checkpoint one is: its index by how it ends, or begins where its end is out of sight; the text that names the latest
 * checkpoint; a data file by its name alone, since it is nothing but numbers. Undefined for other files.
 */
export function tfBundlePart({ head, size, name }: Probe): "index" | "state" | "data" | undefined {
  if ((head.length === size && endsAsTable(head)) || beginsAsIndex(head)) return "index";
  if (isCheckpointState(head)) return "state";
  return isShardName(name) ? "data" : undefined;
}

/** A first entry with an empty key, whose value is a header, and a second one with a key. */
function beginsAsIndex(head: Bytes): boolean {
  const length = head[0] === 0 && head[1] === 0 ? readVarint(head, 2) : undefined;
  if (!length || typeof length.value !== "number" || length.value < 2 || length.value > MOST_HEADER_BYTES) return false;
  const end = length.end + length.value;
  if (end + 2 > head.length || head[end] !== 0 || head[end + 1] === 0) return false;
  try {
    readHeader(head.subarray(length.end, end), "");
    return true;
  } catch {
    return false;
  }
}
