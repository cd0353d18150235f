import {
  type ByteSource,
  type Checkpoint,
  CheckpointLoadError,
  checkLimit,
  type Finding,
  type FormatReader,
  finish,
  finishSync,
  type Json,
  type Limits,
  type OpenOptions,
  type Reading,
  readStep,
  sliceSource,
  type Tree,
  withLimits,
} from "@ckptkit/core";
import { readHdf5 } from "../hdf5/reader.js";
import { checkpointOfTree } from "../tree-checkpoint.js";
import { readZip, type ZipArchive } from "../zip/archive.js";
import type { ZipEntry } from "../zip/directory.js";
import { checkLocalHeader, localHeaderEnd } from "../zip/local-header.js";
import { METHOD, zipError } from "../zip/records.js";
import { jsonTree, parseJson } from "./json-tree.js";
import { kerasSignature, MEMBER_NAMES, MEMBERS } from "./signature.js";

/** Opens `.keras` models. */
export const kerasReader: FormatReader = {
  ...kerasSignature,
  open: openKeras,
  openSync: (source, options) => finishSync(readKeras(source, options)),
};

/** Members whose names are listed of those beside these. */
const MOST_LISTED = 1000;

/**
 * Opens a `.keras` model: its weights, read where they lie in the archive, its configuration as `metadata.model_config`, and what Keras
 * notes about itself. Nothing that the configuration names is looked up.
 *
 * @throws {CheckpointLoadError} ZIP_*, HDF5_CORRUPT, HDF5_UNSUPPORTED, UNSUPPORTED_FORMAT when it is an archive of another kind, LIMIT_EXCEEDED
 * @see https://keras.io/guides/serialization_and_saving/
 * @example
 * const checkpoint = await openKeras(blobSource(file));
 * console.log(checkpoint.metadata.keras_version, checkpoint.tensors.length);
 */
export async function openKeras(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  return finish(readKeras(source, options));
}

function* readKeras(source: ByteSource, options: OpenOptions): Reading<Checkpoint> {
  const limits = withLimits(options.limits);
  const archive = yield* readZip(source, limits, options);
  const { entries } = archive;
  const weights = entries.get(MEMBERS.weights);
  if (!weights && !(entries.has(MEMBERS.config) && entries.has(MEMBERS.metadata))) {
    throw new CheckpointLoadError(
      "UNSUPPORTED_FORMAT",
      `${source.name} is a zip archive, but not of Keras: it has no ${MEMBERS.weights}.`,
      {
        details: { members: [...entries.keys()].slice(0, 20) },
      },
    );
  }
  const findings: Finding[] = [...archive.findings];
  const described = yield* readTexts(archive, limits, findings, options);
  const others = [...entries.keys()].filter((name) => !MEMBER_NAMES.includes(name) && !name.endsWith("/"));
  const inner = weights ? yield* readHdf5(yield* weightsOf(source, archive, weights, options), options) : withoutWeights(source, findings);
  return {
    ...inner,
    uri: source.name,
    format: "keras",
    byteLength: source.size,
    tree: withDescription(inner.tree, described),
    metadata: { ...described, ...inner.metadata, ...(others.length > 0 ? { assets: others.slice(0, MOST_LISTED) } : {}) },
    findings: [...findings, ...inner.findings],
    close: async () => source.close?.(),
  };
}

/** The weights: where they are stored as they are, a part of the archive, which can be read without waiting if that can. */
function* weightsOf(source: ByteSource, archive: ZipArchive, entry: ZipEntry, options: OpenOptions): Reading<ByteSource> {
  if (entry.method !== METHOD.stored) return archive.source(entry);
  const headerEnd = localHeaderEnd(entry);
  if (headerEnd > entry.limit) throw zipError(archive.name, `the header of ${JSON.stringify(entry.name)} is cut off`);
  const header = yield* readStep(source, entry.headerStart, headerEnd, options);
  const start = checkLocalHeader(header, entry, archive.name);
  return sliceSource(source, start, start + entry.byteLength, `${source.name}#${entry.name}`);
}

/** What stands in the archive's two texts: `metadata.json` by its keys, `config.json` as `model_config`. */
function* readTexts(archive: ZipArchive, limits: Limits, findings: Finding[], options: OpenOptions): Reading<{ [key: string]: Json }> {
  const wanted = [MEMBERS.metadata, MEMBERS.config].flatMap((name) => archive.entries.get(name) ?? []);
  for (const { name, byteLength } of wanted) checkLimit(limits, "headerBytes", byteLength, `${name} of ${archive.name}`);
  const texts = yield* archive.readingAll(wanted, findings, options);
  const described: [string, Json][] = [];
  for (const [index, { name }] of wanted.entries()) {
    const json = parseJson(new TextDecoder().decode((texts[index] ?? new Uint8Array(0)).slice()), limits);
    if (json === undefined)
      findings.push({ rule: "keras-config", severity: "error", message: `${name} is no valid JSON: it was not read.`, at: name });
    else if (name === MEMBERS.config) described.push(["model_config", json]);
    else if (isObject(json)) described.push(...Object.entries(json));
  }
  return Object.fromEntries(described);
}

const isObject = (json: Json): json is { readonly [key: string]: Json } =>
  typeof json === "object" && json !== null && !Array.isArray(json);

/** The weights' tree with the texts among its attributes. */
function withDescription(tree: Tree, described: { readonly [key: string]: Json }): Tree {
  if (typeof tree !== "object" || tree === null || !("kind" in tree) || tree.kind !== "map") return tree;
  const own = Object.entries(described).map(([key, value]): [Tree, Tree] => [key, jsonTree(value)]);
  return { ...tree, attributes: { kind: "map", type: "dict", entries: [...own, ...(tree.attributes?.entries ?? [])] } };
}

/** A model whose weights are not in the archive, or not as HDF5. */
function withoutWeights(source: ByteSource, findings: Finding[]): Checkpoint {
  const message = `The archive has no ${MEMBERS.weights}: there are no tensors in it that are read here.`;
  findings.push({ rule: "keras-no-weights", severity: "warning", message });
  return checkpointOfTree({ kind: "map", type: "dict", entries: [] }, { uri: source.name });
}
