import {
  type ByteSource,
  type Checkpoint,
  CheckpointLoadError,
  checkLimit,
  type Finding,
  type FormatReader,
  finish,
  type Limits,
  type MapNode,
  type OpenOptions,
  type Tree,
  withLimits,
} from "@ckptkit/core";
import { tensorNode } from "../torch/tensor-node.js";
import { readTorchZip } from "../torch/zip-reader.js";
import { checkpointOfTree } from "../tree-checkpoint.js";
import { readZip, type ZipArchive } from "../zip/archive.js";
import type { ZipEntry } from "../zip/directory.js";
import { pt2Signature } from "./signature.js";
import { Pt2Storages, parseWeights } from "./weights.js";

/** Opens programs that `torch.export.save` wrote. */
export const pt2Reader: FormatReader = { ...pt2Signature, open: openPt2 };

/** Lists of tensors in an archive: of the weights and of the constants of each model. */
const LIST = /^(.*\/data\/(weights|constants)\/)([^/]*?)_(?:weights|constants)_config\.json$/;
/** Files of torch.save that archives before torch 2.8 hold, and what they are. */
const PARTS: Readonly<Record<string, string>> = {
  "serialized_state_dict.pt": "state_dict",
  "serialized_constants.pt": "constants",
};

/**
 * Opens an exported program as far as its tensors go: the state dict and the constants. The graph is not looked at.
 *
 * @throws {CheckpointLoadError} ZIP_*, TORCH_*, TENSOR_OUT_OF_BOUNDS, UNSUPPORTED_FORMAT, LIMIT_EXCEEDED
 * @see https://docs.pytorch.org/docs/stable/user_guide/torch_compiler/export/pt2_archive.html
 * @example const checkpoint = await openPt2(blobSource(file));
 */
export async function openPt2(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  const limits = withLimits(options.limits);
  const archive = await finish(readZip(source, limits, options));
  const findings: Finding[] = [...archive.findings];
  const models = await readLists(archive, limits, findings, options);
  const parts = models.size > 0 ? [] : await readParts(archive, findings, options);
  if (models.size === 0 && parts.length === 0) {
    throw new CheckpointLoadError("UNSUPPORTED_FORMAT", `${source.name} is a zip archive, but not of torch.export: it lists no weights.`, {
      details: { members: [...archive.entries.keys()].slice(0, 20) },
    });
  }
  const [only] = models.size === 1 ? models.values() : [];
  const tree = only ?? mapOf(parts.length > 0 ? parts : [...models]);
  const checkpoint = checkpointOfTree(tree, { uri: source.name, format: "pt2", limits });
  return {
    ...checkpoint,
    byteLength: source.size,
    findings: [...findings, ...checkpoint.findings],
    close: async () => source.close?.(),
  };
}

const mapOf = (entries: [Tree, Tree][], type = "dict"): MapNode => ({ kind: "map", type, entries });

/** By the name of each model: its state dict and its constants. */
async function readLists(archive: ZipArchive, limits: Limits, findings: Finding[], options: OpenOptions): Promise<Map<string, MapNode>> {
  const models = new Map<string, MapNode>();
  const storages = new Pt2Storages(archive);
  for (const entry of archive.entries.values()) {
    const [, folder, kind, model] = LIST.exec(entry.name) ?? [];
    if (folder === undefined || kind === undefined || model === undefined) continue;
    checkLimit(limits, "headerBytes", entry.byteLength, `${entry.name} of ${archive.name}`);
    const [bytes = new Uint8Array(0)] = await archive.readAll([entry], findings, options);
    const entries: [Tree, Tree][] = [];
    for (const { name, record, isPickled, spec } of parseWeights(bytes, `${entry.name} of ${archive.name}`)) {
      if (isPickled) {
        const pickled = archive.entries.get(folder + record);
        if (pickled) entries.push([name, await readPart(archive, pickled, findings, options)]);
      } else if (spec) entries.push([name, tensorNode({ ...spec, storage: storages.of(folder + record) })]);
    }
    const parts = models.get(model) ?? mapOf([]);
    parts.entries.push([kind === "weights" ? "state_dict" : "constants", mapOf(entries, "collections.OrderedDict")]);
    models.set(model, parts);
  }
  return models;
}

async function readParts(archive: ZipArchive, findings: Finding[], options: OpenOptions): Promise<[Tree, Tree][]> {
  const parts: [Tree, Tree][] = [];
  for (const [name, key] of Object.entries(PARTS)) {
    const entry = archive.entries.get(name);
    if (entry && entry.byteLength > 0) parts.push([key, await readPart(archive, entry, findings, options)]);
  }
  return parts;
}

/** What a record that is a file of torch.save holds. */
async function readPart(archive: ZipArchive, entry: ZipEntry, findings: Finding[], options: OpenOptions): Promise<Tree> {
  const part = await finish(readTorchZip(archive.source(entry), options, `${entry.name}/`));
  findings.push(...part.findings.map((finding) => ({ ...finding, at: entry.name })));
  return part.tree;
}
