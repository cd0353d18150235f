import type { Bytes, FormatSignature, Probe } from "@ckptkit/core";
import { isTar } from "../tar/header-checksum.js";

/** What every HDF5 file begins with. */
export const HDF5_MAGIC = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
/** The first place after byte 0 at which that may stand, and then at each power of two: before it are bytes of other programs. */
const FIRST_USER_BLOCK = 512;

/** Where the signature stands within the head of a file; undefined when it is no HDF5. */
export function findSignature(head: Bytes): number | undefined {
  for (let at = 0; at + HDF5_MAGIC.length <= head.length; at = at === 0 ? FIRST_USER_BLOCK : 2 * at) {
    if (HDF5_MAGIC.every((byte, index) => head[at + index] === byte)) return at;
  }
  return undefined;
}

/** What describes a layer or two of a Keras model, as h5py places it between their values. */
export const HDF5_BLOCK_BYTES = 8 * 1024;

/** How HDF5 files are told. */
export const hdf5Signature: FormatSignature = { format: "hdf5", blockBytes: HDF5_BLOCK_BYTES, matches: isHdf5 };

/** A file with the signature at its beginning, or behind a block of other bytes. A tar archive's first member stands at such a place, too. */
function isHdf5(probe: Probe): boolean {
  const at = findSignature(probe.head);
  return at === 0 || (at !== undefined && !isTar(probe));
}
