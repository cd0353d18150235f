import { packingOf } from "@ckptkit/formats";

/** What some bytes are, by how they begin. */
export type ContentKind = "zip" | "pickle" | "safetensors" | "npy" | "tar" | "hdf5" | "gguf" | "packed" | "text" | "lfs" | "other";

/** Bytes of a head that tell what it is. */
export const HEAD_BYTES = 1024;

/** Tells what content is from its first {@link HEAD_BYTES} bytes. */
export function kindOf(head: Uint8Array, size: number): ContentKind {
  if (begins(head, "PK\x03\x04") || begins(head, "PK\x05\x06")) return "zip";
  // Before pickles and packed content: the first bytes are a length, and may be anything.
  if (head.length > 8 && isSafetensors(head, size)) return "safetensors";
  if (head[0] === 0x80 && (head[1] ?? 0xff) <= 5) return "pickle";
  if (begins(head, "\x93NUMPY")) return "npy";
  if (begins(head, "\x89HDF\r\n\x1a\n")) return "hdf5";
  if (begins(head, "GGUF")) return "gguf";
  if (head.length > 262 && latin1(head.subarray(257, 262)) === "ustar") return "tar";
  if (begins(head, "version https://git-lfs.github.com/spec/")) return "lfs";
  const packing = packingOf(head);
  // Two bytes are little: a text may begin with those of zlib.
  if (packing !== undefined && !(packing.codec === "zlib" && isText(head))) return "packed";
  return isText(head) ? "text" : "other";
}

function isSafetensors(head: Uint8Array, size: number): boolean {
  const declared = new DataView(head.buffer, head.byteOffset, head.byteLength).getBigUint64(0, true);
  return declared >= 2n && declared <= BigInt(size) && /^\s*\{/.test(latin1(head.subarray(8, 64)));
}

/** UTF-8 without control characters other than white space. */
export function isText(bytes: Uint8Array): boolean {
  if (bytes.some((byte) => byte < 9 || (byte > 13 && byte < 32))) return false;
  try {
    // A character may be cut off at the end.
    new TextDecoder("utf-8", { fatal: true }).decode(bytes.slice(), { stream: true });
    return true;
  } catch {
    return false;
  }
}

export const latin1 = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

function begins(head: Uint8Array, magic: string): boolean {
  if (head.length < magic.length) return false;
  for (let at = 0; at < magic.length; at++) if (head[at] !== magic.charCodeAt(at)) return false;
  return true;
}

/** Suffixes of formats that hold no code, and what their content is then. */
const DATA_SUFFIXES: Readonly<Record<string, readonly ContentKind[]>> = {
  safetensors: ["safetensors"],
  gguf: ["gguf"],
  npy: ["npy"],
  h5: ["hdf5"],
  hdf5: ["hdf5"],
  json: ["text"],
  txt: ["text"],
  md: ["text"],
  yaml: ["text"],
  yml: ["text"],
  csv: ["text"],
  onnx: ["other"],
  pb: ["other"],
  tflite: ["other"],
  png: ["other"],
  jpg: ["other"],
};

/** Whether a name is that of a text, which no loader of checkpoints opens. */
export const isTextName = (name: string): boolean =>
  /\.(?:json|jsonl|txt|md|ya?ml|toml|csv|py|rst|cfg|ini|html|jinja2?|j2|gitattributes|model|vocab|bpe)$|(?:^|\/)(?:LICENSE|README|\.gitattributes|\.gitignore|merges|vocab)[^/]*$/i.test(
    name,
  );

/** Whether a name promises content that holds no code, while this can. */
export function isDisguised(name: string, kind: ContentKind): boolean {
  const suffix = /\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? "";
  const expected = Object.hasOwn(DATA_SUFFIXES, suffix) ? DATA_SUFFIXES[suffix] : undefined;
  return expected !== undefined && !expected.includes(kind) && ["zip", "pickle", "tar", "packed"].includes(kind);
}

/** Members whose names say that they are pickles: of torch.save, TorchScript and its debug records, and of others. */
export const PICKLE_NAME = /\.(?:pkl|pickle|debug_pkl|joblib|p|dill)$/i;
