import type { LimitName } from "./limits.js";

/** What each limit counts, and why it is as large as it is. The table in the docs and the help of `ckpt` are made from it. */
export const LIMIT_REASONS: Readonly<Record<LimitName, string>> = {
  headerBytes:
    "Bytes of the header of safetensors, GGUF or npy, of a JSON record of metadata, of the structures of HDF5, of an ONNX model without its values, or of an index of TensorFlow; the bound of safetensors itself (safetensors/src/tensor.rs, MAX_HEADER_SIZE).",
  metadataValues:
    "Values in the metadata of a GGUF file, in a MessagePack file of Flax or a JSON record, fields of an ONNX model, or chunks of one HDF5 dataset. Vocabularies with their scores and merges have under a million.",
  pickleBytes: "Bytes of one pickle stream. The largest seen in public checkpoints is tens of megabytes.",
  pickleOpcodes: "Opcodes of one pickle: about one per two bytes at the most, so the same order as pickleBytes.",
  pickleNodes: "Objects that one pickle may build. 50,000 tensors with optimizer state need about 5 million.",
  pickleStringBytes:
    "Bytes of one string of a pickle. V8's longest string has 2^29 - 24 characters (v8/include/v8-primitive.h, String::kMaxLength).",
  pickleIntegerBytes:
    "Bytes of one binary integer of a pickle: the 2^20 bits that every engine's BigInt can hold (SpiderMonkey, JavaScriptCore).",
  pickleIntegerDigits: "Decimal digits of one text integer of a pickle; CPython's own bound (sys.int_info.default_max_str_digits).",
  treeDepth: "Nesting of the object graph. CPython's own recursion limit is 1,000; whole modules nest to about 60.",
  treeVisits: "Values visited while a graph is walked by path. A shared object is visited once per path, which can grow exponentially.",
  tensors: "Tensors of one checkpoint. The largest public mixtures of experts have under 200,000.",
  files: "Files that one checkpoint consists of. The largest runs write one or two for each of some ten thousand processes.",
  zipEntries: "Members of one zip archive; a member is at least 46 bytes of central directory.",
  zipDirectoryBytes: "Bytes of a zip central directory.",
  inflateRatio: "Inflated bytes per deflated byte. DEFLATE itself cannot exceed 1,032 to 1 (RFC 1951, 258 bytes per 2 bits).",
  inflatedBytes: "Bytes of one inflated member that is kept in memory because it is read out of order.",
  gatherBytes: "Bytes that gathering one strided tensor may hold at a time.",
  expandedBytes:
    "Bytes of a tensor that is larger than its storage because its strides repeat it, so that a few bytes may not stand for a terabyte.",
};

/** Limits of reading single tensors, which hold for all of a process: opening takes no other values for them. */
export const FIXED_LIMITS: ReadonlySet<LimitName> = new Set(["gatherBytes", "expandedBytes"]);
