import {
  type ByteSource,
  type Checkpoint,
  checkLimit,
  type Finding,
  type FormatReader,
  finish,
  finishSync,
  isDType,
  type MapNode,
  type OpenOptions,
  type Reading,
  Storage,
  sliceSource,
  step,
  TensorHandle,
  type Tree,
  withLimits,
} from "@ckptkit/core";
import { checkData } from "./data-layout.js";
import { type GgufHeader, readHeader } from "./header.js";
import { ggufSignature } from "./signature.js";
import { openParts } from "./split.js";
import { swappedSource } from "./swapped-source.js";
import { blockCodingOf, swappedWords } from "./types.js";
import { type GgufValue, metadataJson, valueTree } from "./values.js";

/** Opens GGUF models from their description alone. */
export const ggufReader: FormatReader = {
  ...ggufSignature,
  open: openGguf,
  openSync: (source, options) => finishSync(readGguf(source, options)),
};

/** Said of a file that is a part of a model, when it is opened alone. */
const SPLIT_RULE = "gguf-split";

/** Name of the tree's attribute that holds the metadata. */
const METADATA = "metadata";

/** The metadata with its types, by the node of the tree that shows it. */
const TYPED = /* @__PURE__ */ new WeakMap<object, ReadonlyMap<string, GgufValue>>();

/**
 * Opens a GGUF file of version 1, 2 or 3, of either byte order. Tensors of quantised types have the type's name as their dtype; their bytes are
 * the blocks, and `decodedTensor` gives their numbers. The first of the files that a model is split into (`-00001-of-00003.gguf`) brings the
 * others with it where `openSibling` is given. Shapes are row-major: the file's own order turned round, as numpy and torch count.
 *
 * @throws {CheckpointLoadError} GGUF_CORRUPT, UNSUPPORTED_FORMAT, LIMIT_EXCEEDED; in strict mode UNSUPPORTED_DTYPE
 * @see https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 * @example
 * const checkpoint = await openGguf(blobSource(file));
 * console.log(checkpoint.metadata["general.architecture"], checkpoint.tensors.length);
 */
export async function openGguf(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  return finish(readGguf(source, options));
}

function* readGguf(source: ByteSource, options: OpenOptions): Reading<Checkpoint> {
  const first = yield* readPart(source, options);
  const parts = yield* openParts(source, first.header, options);
  try {
    const tensors = [...first.tensors];
    const findings = [...first.findings, ...parts.findings].filter(({ rule }) => parts.sources.length === 0 || rule !== SPLIT_RULE);
    for (const part of parts.sources) {
      const more = yield* readPart(part, options);
      checkLimit(withLimits(options.limits), "tensors", tensors.length + more.tensors.length, `Tensors in the parts of ${source.name}`);
      for (const tensor of more.tensors) tensors.push(tensor);
      for (const finding of more.findings) {
        if (finding.rule !== SPLIT_RULE) findings.push({ ...finding, at: finding.at ? `${part.name}: ${finding.at}` : part.name });
      }
    }
    const { metadata } = first.header;
    return {
      uri: source.name,
      format: "gguf",
      layout: "state_dict",
      byteLength: parts.sources.reduce((sum, { size }) => sum + size, source.size),
      tensors,
      tree: treeOf(tensors, metadata),
      metadata: metadataJson(metadata),
      findings,
      close: async () => {
        await Promise.all([source.close?.(), parts.close()]);
      },
    };
  } catch (error) {
    yield* step({ what: "closing files", wait: () => parts.close(), now: () => void parts.close() });
    throw error;
  }
}

/** One file: its header, its tensors, and what is odd about it. */
function* readPart(
  source: ByteSource,
  options: OpenOptions,
): Reading<{ header: GgufHeader; tensors: readonly TensorHandle[]; findings: readonly Finding[] }> {
  const strict = options.mode === "strict";
  const header = yield* readHeader(source, strict, withLimits(options.limits), options);
  const findings = [...header.findings, ...checkData(header, source.name, source.size, strict)];
  return { header, tensors: handlesOf(source, header, findings), findings };
}

function handlesOf(source: ByteSource, { tensors, dataStart, bigEndian }: GgufHeader, findings: Finding[]): TensorHandle[] {
  const unswapped = new Set<string>();
  const handles = tensors.map(({ name, type, shape, offset, byteLength }) => {
    // An empty tensor may be said to begin beyond the end.
    const start = byteLength === 0 ? 0 : dataStart + offset;
    const raw = sliceSource(source, start, start + byteLength, `${source.name}#${name}`);
    const place = { keys: [name], name, group: "model" } as const;
    const dtype = type.name;
    if (isDType(dtype)) {
      const storage = new Storage({ id: name, bytes: raw, fileOffset: start, bigEndian });
      return new TensorHandle({ dtype, shape, storage, byteOffset: 0 }, place);
    }
    const words = bigEndian ? swappedWords(type) : [];
    if (!words) unswapped.add(dtype);
    const bytes = words && words.length > 0 ? swappedSource(raw, type.bytes, words) : raw;
    const storage = new Storage({ id: name, bytes, fileOffset: start });
    const blocks = words && blockCodingOf(type);
    const bits = (type.bytes * 8) / type.elements;
    return new TensorHandle({ dtype, bits, shape, storage, byteOffset: 0, ...(blocks ? { blocks } : {}) }, place);
  });
  for (const dtype of unswapped) {
    const message = `This file is big-endian, and how blocks of ${dtype} are then stored is laid down nowhere: their bytes are given as they are.`;
    findings.push({ rule: "gguf-byte-order", severity: "warning", message });
  }
  return handles;
}

/** The tensors by their names, and the metadata beside them as an attribute. */
function treeOf(tensors: readonly TensorHandle[], metadata: ReadonlyMap<string, GgufValue>): Tree {
  const shown: MapNode = { kind: "map", type: "dict", entries: [...metadata].map(([key, value]): [Tree, Tree] => [key, valueTree(value)]) };
  TYPED.set(shown, metadata);
  return {
    kind: "map",
    type: "dict",
    entries: tensors.map((tensor): [Tree, Tree] => [tensor.name, { kind: "tensor", tensor: tensor.spec }]),
    attributes: { kind: "map", type: "dict", entries: [[METADATA, shown]] },
  };
}

/** The metadata of a checkpoint that was opened from GGUF, with the types of its values; undefined for others. */
export function ggufMetadataOf(checkpoint: Pick<Checkpoint, "tree">): ReadonlyMap<string, GgufValue> | undefined {
  const { tree } = checkpoint;
  const shown = typeof tree === "object" && tree !== null && "attributes" in tree ? tree.attributes?.entries[0]?.[1] : undefined;
  return typeof shown === "object" && shown !== null ? TYPED.get(shown) : undefined;
}
