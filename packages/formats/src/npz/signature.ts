import type { FormatSignature, Probe } from "@ckptkit/core";
import { RECORD_BYTES, SIGNATURE, viewOf } from "../zip/records.js";

/** `\x93NUMPY`. */
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** What the names of an archive's arrays end with. */
export const NPY_SUFFIX = ".npy";

/** Whether bytes begin as `.npy` files do. */
export const isNpy = (head: Uint8Array): boolean => MAGIC.every((byte, index) => head[index] === byte);

/** How single numpy arrays are told. */
export const npySignature: FormatSignature = { format: "npy", matches: ({ head }) => isNpy(head) };

/** How archives of numpy arrays are told. */
export const npzSignature: FormatSignature = { format: "npz", matches: isNpz };

/** A zip archive whose first member is an array; any by the name `.npz`. */
function isNpz({ head, name }: Probe): boolean {
  if (head.length < RECORD_BYTES.end) return false;
  const view = viewOf(head);
  const signature = view.getUint32(0, true);
  const isNamed = /\.npz$/i.test(name);
  if (signature === SIGNATURE.end || signature === SIGNATURE.end64) return isNamed;
  if (signature !== SIGNATURE.local || head.length < RECORD_BYTES.local) return false;
  const member = head.subarray(RECORD_BYTES.local, RECORD_BYTES.local + view.getUint16(26, true));
  return isNamed || String.fromCharCode(...member.subarray(-NPY_SUFFIX.length)) === NPY_SUFFIX;
}
