/**
 * Every code that a {@link CheckpointError} can carry, with one line on what it means. The page of error codes in the
 * docs is made from this table; a code, once published, keeps its meaning.
 */
export const ERROR_CODES = {
  // Reaching the bytes
  NOT_FOUND: "Nothing is at this path or address.",
  ACCESS_DENIED: "The file or address exists, but may not be read or written with these rights.",
  NOT_A_FILE: "The path names something that is not a regular file.",
  READ_FAILED: "The operating system or the server failed while bytes were being read.",
  WRITE_FAILED: "The destination could not be written.",
  NO_SPACE: "The destination has no room left.",
  OUT_OF_RANGE: "A read was asked for beyond the end of the source.",
  SOURCE_CLOSED: "The source was read after it had been closed.",
  SOURCE_CHANGED: "The file or remote object changed while it was being read.",
  TIMEOUT: "The operation took longer than it was allowed to.",
  UNSUPPORTED_URI: "No source handles addresses of this kind.",
  HTTP_STATUS: "The server answered with a status that is not a range of the file.",
  HTTP_RANGE_NOT_SUPPORTED: "The server ignores range requests, so a part of the file cannot be read by itself.",
  HTTP_BAD_RANGE: "The server's answer is not the range that was asked for.",
  HTTP_ANSWER: "The server's answer is not what its interface promises.",
  CORS_BLOCKED: "The server is there, but does not allow a page of this site to read from it.",
  MIXED_CONTENT: "A page over https: may not read from an http: address.",
  CSP_BLOCKED: "The page's own Content-Security-Policy forbids the request.",
  OFFLINE: "The browser has no network connection.",
  DOWNLOAD_TOO_LARGE: "The file could only be had by downloading all of it, and it is larger than was allowed.",
  CHECKSUM_MISMATCH: "The file does not have the checksum that was expected.",
  // Telling what a file is
  SEVERAL_CHECKPOINTS: "The folder holds more than one checkpoint, and none was chosen.",
  EMPTY_FILE: "The file has no bytes.",
  UNKNOWN_FORMAT: "The bytes are of no format that is known here.",
  PACKED_FILE: "The file is packed by a compressor or an archiver, and has to be unpacked first.",
  LFS_POINTER: "The file is a Git LFS pointer, not the file that it stands for.",
  UNSUPPORTED_FORMAT: "The format is recognised, but cannot be opened by this reader.",
  LIMIT_EXCEEDED: "A safety limit was reached; see the name of the limit in the details.",
  // Zip archives
  ZIP_NO_END_RECORD: "The archive has no end-of-central-directory record: it is cut off or not a zip archive.",
  ZIP_CORRUPT: "The archive's own records contradict each other.",
  ZIP_UNSUPPORTED: "The archive uses a feature that no checkpoint writer uses (encryption, another method, several disks).",
  TAR_CORRUPT: "The headers of a tar archive are malformed, or its members do not fit into it.",
  CRC_MISMATCH: "The bytes do not have the CRC-32 that the container recorded for them.",
  // Pickles
  PICKLE_CORRUPT: "The pickle stream is malformed.",
  PICKLE_TRUNCATED: "The pickle stream ends before its STOP opcode.",
  PICKLE_UNSUPPORTED: "The pickle uses an extension code or a protocol that has no meaning without the writer's registry.",
  // torch
  TORCH_CORRUPT: "The parts of a torch checkpoint do not fit together.",
  TORCH_STORAGE_SIZE: "A storage record is longer or shorter than its tensor elements need.",
  TORCH_STORAGE_MISSING: "A tensor refers to a storage that the file does not hold.",
  TENSOR_OUT_OF_BOUNDS: "A tensor's shape, strides and offset reach outside its storage.",
  TORCH_INDEX: "The index of a torch checkpoint in several files and these files do not agree.",
  // safetensors
  SAFETENSORS_HEADER: "The safetensors header is malformed.",
  SAFETENSORS_OFFSETS: "Tensor offsets of a safetensors file overlap, leave holes or leave the file.",
  SAFETENSORS_INDEX: "The index of a sharded checkpoint and its shards do not agree.",
  // GGUF and numpy
  GGUF_CORRUPT: "The description of a GGUF file is malformed, or its tensors do not fit into the file.",
  NPY_CORRUPT: "The header of a numpy array is malformed, or does not fit its bytes.",
  // ONNX and TensorFlow
  ONNX_CORRUPT: "The bytes of an ONNX model make no sense, or its fields do not fit into the file.",
  ONNX_EXTERNAL: "The values of a tensor are in a data file of an ONNX model that is missing, cut off, or not beside it.",
  TF_BUNDLE_CORRUPT: "The index of a TensorFlow checkpoint is malformed, or does not fit its data files.",
  TF_BUNDLE_SHARD: "A data file of a TensorFlow checkpoint is missing, cut off, or was given without its index.",
  // Flax, zarr and Orbax
  COMPRESSION_CORRUPT: "Compressed bytes cannot be decompressed, or not to the length that they must have.",
  ZARR_CORRUPT: "The metadata of a zarr array or group make no sense, or its chunks do not fit them.",
  UNSUPPORTED_CODEC: "An array is stored with a codec or data type that is not known here.",
  OCDBT_CORRUPT: "A database of TensorStore (OCDBT) is malformed, or does not fit its files.",
  ORBAX_CORRUPT: "The metadata of an Orbax checkpoint make no sense.",
  MSGPACK_CORRUPT: "A MessagePack file is malformed, or ends before its values do.",
  // HDF5 and Keras
  HDF5_CORRUPT: "The structures of an HDF5 file are malformed, damaged, or not within the file.",
  HDF5_UNSUPPORTED: "A part of an HDF5 file uses a filter or a way of storing that is not read here.",
  // Repairing
  NOTHING_SAVED: "No tensor of a damaged file could be saved.",
  // Changing a file in its place
  UNFINISHED_EDIT: "A change of the file in its place was cut off, or is under way; its old bytes are kept beside it.",
  METADATA_FIXED: "The metadata of this format cannot be changed in its place.",
  METADATA_NO_ROOM: "The metadata do not fit into the place that the file has for them.",
  METADATA_CORRUPT: "A file's record of metadata is not what it should be.",
  // Converting and writing
  NO_STATE_DICT: "No model weights could be found in the checkpoint.",
  NO_TENSORS: "The checkpoint, or the selection from it, holds no tensors.",
  UNSUPPORTED_DTYPE: "The dtype cannot be represented in the target format or by this operation.",
  NAME_CONFLICT: "Two tensors would get the same name.",
  DESTINATION_EXISTS: "The destination exists already and may not be replaced, or is one of the files that are being read.",
  UNKNOWN_TENSOR: "The checkpoint has no tensor at this path.",
  // Configuration and use
  INVALID_ARGUMENT: "An option or argument has a value that cannot be used.",
  KERNELS_UNAVAILABLE: "The WebAssembly kernels cannot run here.",
  CODE_UNAVAILABLE: "A part of the program that is loaded when it is needed could not be loaded.",
  WORKERS_UNAVAILABLE: "Worker threads cannot be started here.",
  WORKER_FAILED: "A worker thread stopped before its work was done.",
  // Pipelines
  CONTEXT_INCOMPLETE: "A stage needs a field that the context does not have.",
  STAGE_INVALID: "Something that is no stage was given as one.",
  STAGE_CONFIG: "A stage cannot be built from its configuration.",
  UNKNOWN_STAGE: "No stage of this name is in the catalog.",
  CONFIG_SYNTAX: "A configuration file is not valid YAML or JSON.",
  CONFIG_INVALID: "A configuration has values that are not what was expected; each is listed with its place.",
  CONFIG_VARIABLE: "A configuration refers to an environment variable that is not set.",
  STAGE_FAILED: "A stage failed with an error that is not one of ours; it is the cause.",
  STAGE_ASYNC_ONLY: "A stage that can only run asynchronously stands in a pipeline that was to run synchronously.",
  DRY_RUN: "A dry run came to what only a run can tell: it reads no tensors and downloads no files.",
  CHECK_FAILED: "A check of a pipeline refused the checkpoint.",
  WEIGHTS_NOT_LOADED: "A pipeline with a source ended without having filled its model.",
  PIPELINE_UNHEALTHY: "A pipeline that was looked at after its run did not end well.",
  MIGRATION_FAILED: "A migration that was declared for a checkpoint's names does not fit the tensors that it finds.",
  INCOMPATIBLE: "The checkpoint and the model do not fit together.",
  UNKNOWN_MODULE: "The model has no module at this path.",
  FREEZING_FAILED: "Parameters of a model are still trainable after they were frozen.",
  NOT_FINITE: "A tensor holds NaN or infinities where the operation needs finite numbers.",
  UNSUPPORTED_SHAPE: "A tensor's shape does not suit the operation.",
  ADAPTER_CONFIG: "The configuration of an adapter is missing or malformed.",
  ADAPTER_UNSUPPORTED: "The adapter is of a kind that cannot be merged into its base weights.",
  INTERNAL: "A defect in ckptkit itself; please report it.",
} as const;

/** A code from {@link ERROR_CODES}. */
export type ErrorCode = keyof typeof ERROR_CODES;
