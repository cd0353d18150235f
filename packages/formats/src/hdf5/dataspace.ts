import { countElements } from "@ckptkit/core";
import type { Fields } from "./fields.js";

/** How many elements there are. */
export interface Dataspace {
  readonly shape: readonly number[];
  /** What each axis may grow to; undefined: without end. */
  readonly mostShape: readonly (number | undefined)[];
  /** No elements, and no shape: what h5py calls Empty. */
  readonly isNull: boolean;
  readonly elements: number;
}

/** H5S_MAX_RANK. */
const MOST_AXES = 32;

/**
 * Reads a dataspace message.
 *
 * @throws {CheckpointLoadError} HDF5_CORRUPT, TENSOR_OUT_OF_BOUNDS
 * @see https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html (IV.A.2.b. The Dataspace Message)
 */
export function parseDataspace(fields: Fields): Dataspace {
  const version = fields.version(1, 2);
  const axes = fields.u8();
  const flags = fields.u8();
  const kind = fields.u8(); // reserved in version 1
  if (version === 1) fields.skip(4);
  if (axes > MOST_AXES) throw fields.bad(`has ${axes} axes`);
  const shape = Array.from({ length: axes }, () => fields.length());
  const mostShape = flags & 1 ? shape.map(() => fields.optionalLength()) : shape;
  const isNull = version === 2 && kind === 2;
  return { shape, mostShape, isNull, elements: isNull ? 0 : countElements(shape) };
}
