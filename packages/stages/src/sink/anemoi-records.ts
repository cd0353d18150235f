import { CheckpointValidationError, type Json, type SignalOptions, type TensorData } from "@ckptkit/core";
import { archiveRoot } from "@ckptkit/formats/torch";

/**
 * Where anemoi keeps metadata in a torch archive, and arrays beside it.
 *
 * @see https://github.com/ecmwf/anemoi-utils, anemoi.utils.checkpoints, DEFAULT_FOLDER and DEFAULT_NAME
 */
const FOLDER = "anemoi-metadata";
const METADATA_RECORD = `${FOLDER}/anemoi.json`;
/** Entry of the metadata that tells where each array is, and what. */
const ARRAYS_KEY = "supporting_arrays_paths";

/** numpy's names of the dtypes that its arrays can have. */
const NUMPY_NAMES: Readonly<Record<string, string>> = {
  F64: "float64",
  F32: "float32",
  F16: "float16",
  I64: "int64",
  I32: "int32",
  I16: "int16",
  I8: "int8",
  U64: "uint64",
  U32: "uint32",
  U16: "uint16",
  U8: "uint8",
  BOOL: "bool",
  C64: "complex64",
  C128: "complex128",
};

/**
 * The records that hold metadata and supporting arrays in a torch archive: JSON, and for each array its contiguous
 * little-endian bytes. Arrays are small beside the weights; they are read whole.
 *
 * @throws {CheckpointValidationError} UNSUPPORTED_DTYPE for an array of a dtype that numpy does not have
 */
export async function anemoiRecords(
  fileName: string,
  metadata: { readonly [key: string]: Json },
  arrays: Readonly<Record<string, TensorData>>,
  options: SignalOptions,
): Promise<Map<string, Uint8Array>> {
  const records = new Map<string, Uint8Array>();
  const paths: { [name: string]: Json } = {};
  for (const [name, array] of Object.entries(arrays)) {
    const dtype = NUMPY_NAMES[array.dtype];
    if (dtype === undefined) {
      throw new CheckpointValidationError(
        "UNSUPPORTED_DTYPE",
        `The supporting array ${JSON.stringify(name)} has the dtype ${array.dtype}, which numpy does not have.`,
        {
          details: { name, dtype: array.dtype },
          suggestions: ["Cast it to F32 first."],
        },
      );
    }
    const record = `${FOLDER}/${name}.numpy`;
    const bytes = new Uint8Array(array.byteLength);
    await array.readInto(bytes, 0, options);
    records.set(record, bytes);
    paths[name] = { path: `${archiveRoot(fileName)}/${record}`, shape: array.shape, dtype };
  }
  const all = Object.keys(paths).length > 0 ? { ...metadata, [ARRAYS_KEY]: paths } : metadata;
  return new Map([[METADATA_RECORD, new TextEncoder().encode(JSON.stringify(all))], ...records]);
}

/** Whether a value has what a tensor has. */
export function isTensorData(value: unknown): value is TensorData {
  return (
    typeof value === "object" &&
    value !== null &&
    "dtype" in value &&
    "shape" in value &&
    "readInto" in value &&
    typeof value.readInto === "function"
  );
}
