import {
  type ByteSource,
  countElements,
  type Finding,
  type PathKey,
  Storage,
  type StorageInit,
  sliceSource,
  TensorHandle,
  type Tree,
} from "@ckptkit/core";
import { type NpyHeader, npyError } from "./npy-header.js";

/** An array as part of a checkpoint: a tensor, or a node that says what it is. */
export interface NpyArray {
  readonly tensor: TensorHandle | undefined;
  readonly tree: Tree;
}

/**
 * The array that begins with a header, and whose bytes are all of `bytes`.
 *
 * @param where what of its storage is known.
 * @param findings gets what is odd about it.
 * @throws {CheckpointLoadError} NPY_CORRUPT when the data is too short; TENSOR_OUT_OF_BOUNDS
 */
export function npyArray(
  header: NpyHeader,
  bytes: ByteSource,
  keys: readonly PathKey[],
  where: Pick<StorageInit, "fileOffset" | "crc">,
  findings: Finding[],
): NpyArray {
  const { element, shape, dataStart, descr, fortranOrder } = header;
  const name = keys.join(".");
  const at = name === "" ? {} : { at: name };
  if (!element || element.bits === 0) {
    findings.push(
      header.isObject
        ? {
            rule: "npy-object-array",
            severity: "warning",
            message: `${bytes.name} is an array of Python objects, stored as a pickle: it was not read, and numpy runs it where pickles are allowed.`,
            ...at,
          }
        : {
            rule: "npy-no-numbers",
            severity: "info",
            message: `${bytes.name} is an array of ${descr.slice(0, 200)}: its values are not shown.`,
            ...at,
          },
    );
    return { tensor: undefined, tree: opaque(header) };
  }
  const available = bytes.size - dataStart;
  const needed = (countElements(shape) * element.bits) / 8;
  if (needed > available) {
    const what = `${descr} of shape [${shape.slice(0, 16).join(", ")}]`;
    throw npyError(bytes.name, `${needed} bytes of data are expected for ${what}, and it has ${available}`, {
      expected: needed,
      found: available,
    });
  }
  if (needed < available) {
    const message = `${available - needed} bytes follow the data of ${bytes.name}: another array, or something that was hidden there.`;
    findings.push({ rule: "npy-trailing-bytes", severity: "warning", message, ...at });
  }
  const data = sliceSource(bytes, dataStart, bytes.size);
  const { dtype, bits, bigEndian } = element;
  const storage = new Storage({ id: name, bytes: data, bigEndian, ...where });
  const strides = fortranOrder && shape.length > 1 ? { strides: columnMajor(shape) } : {};
  const tensor = new TensorHandle({ dtype, bits, shape, ...strides, storage, byteOffset: 0 }, { keys, name, group: "model" });
  return { tensor, tree: { kind: "tensor", tensor: tensor.spec } };
}

/** Strides of an array whose first axis runs fastest, in elements. */
function columnMajor(shape: readonly number[]): number[] {
  let step = 1;
  return shape.map((size) => {
    const stride = step;
    step *= Math.max(1, size);
    return stride;
  });
}

/** An array that is no tensor: its type and shape. */
const opaque = ({ descr, shape }: NpyHeader): Tree => ({
  kind: "object",
  type: "numpy.ndarray",
  attributes: {
    kind: "map",
    type: "dict",
    entries: [
      ["dtype", descr],
      ["shape", { kind: "list", type: "tuple", items: [...shape] }],
    ],
  },
});
