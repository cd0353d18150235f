import {
  type ByteSource,
  type Checkpoint,
  type Finding,
  type FormatReader,
  type Json,
  type Limits,
  type OpenOptions,
  type Tree,
  withLimits,
} from "@ckptkit/core";
import { ChunkCache } from "../chunks/chunk-cache.js";
import { placeJaxTensors } from "../jax-groups.js";
import { quoted } from "../quoted.js";
import type { ArrayContext } from "./chunk-reader.js";
import { zarrError } from "./errors.js";
import { Hierarchy, type ZarrNode } from "./hierarchy.js";
import { isObject, type JsonObject, objectAt, readObject } from "./json.js";
import { OpenValues } from "./open-values.js";
import { zarrSignature } from "./signature.js";
import { folderStore, type KeyStore } from "./store.js";
import { arrayTree, attributesJson, PathTree } from "./tree.js";

/** Opens folders of zarr by the file in them that describes them. */
export const zarrReader: FormatReader = { ...zarrSignature, open: openZarr };

/**
 * Opens an array or a hierarchy of zarr, version 2 or 3, from its metadata: `.zmetadata`, `.zgroup`, `.zarray` or `zarr.json`. Chunks and shards
 * are read as tensors are; what was never written is the fill value.
 *
 * @param options.openSibling opens the chunks, and other metadata.
 * @param options.listSiblings finds the arrays of a group whose metadata are not consolidated.
 * @throws {CheckpointLoadError} ZARR_CORRUPT, LIMIT_EXCEEDED; an array with a codec that is not known here is a finding
 * @see https://zarr-specs.readthedocs.io
 * @example
 * const checkpoint = await openZarr(await open("model.zarr/.zmetadata"), { openSibling: (name) => open(`model.zarr/${name}`) });
 */
export async function openZarr(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  const limits = withLimits(options.limits);
  const store = folderStore(options, source.name);
  const findings: Finding[] = [];
  const { nodes, version } = await readNodes(await readObject(source, limits, options), store, limits, findings, options);
  const context = arrayContext(store, limits);
  const { tree, attributes } = treeOf(nodes, context, findings);
  const { tensors, layout } = placeJaxTensors(tree, limits, findings);
  return {
    uri: source.name,
    format: "zarr",
    layout,
    // What chunks take is not known before they are read.
    byteLength: tensors.reduce((sum, { byteLength }) => sum + byteLength, source.size),
    tensors,
    tree,
    metadata: { zarr_format: version, attributes },
    findings,
    close: async () => {
      await Promise.all([closeContext(context), source.close?.()]);
    },
  };
}

/** What the arrays of one store share. */
export const arrayContext = (store: KeyStore, limits: Limits): ArrayContext => ({
  store,
  limits,
  cache: new ChunkCache(),
  files: new OpenValues(),
  streams: new OpenValues(),
});

/** Closes what arrays have open. */
export async function closeContext({ streams, files, store }: ArrayContext): Promise<void> {
  await streams.close();
  await files.close();
  await store.close?.();
}

async function readNodes(
  metadata: JsonObject,
  store: KeyStore,
  limits: Limits,
  findings: Finding[],
  options: OpenOptions,
): Promise<{ nodes: readonly ZarrNode[]; version: number }> {
  const hierarchy = new Hierarchy(store, limits, findings, options);
  const version = metadata.zarr_format ?? (isObject(metadata.metadata) ? 2 : undefined);
  if (version === 3) await hierarchy.addV3("", metadata);
  else if (version !== 2)
    throw zarrError(store.name, `their zarr_format is ${JSON.stringify(version)?.slice(0, 100)}, and 2 and 3 are known here`);
  else if (isObject(metadata.metadata)) hierarchy.addConsolidatedV2(metadata);
  else if ("shape" in metadata) await hierarchy.addV2("", { file: ".zarray", metadata });
  else {
    const consolidated = await objectAt(store, ".zmetadata", limits, options);
    if (consolidated) hierarchy.addConsolidatedV2(consolidated);
    else await hierarchy.addV2("", { file: ".zgroup", metadata });
  }
  return { nodes: hierarchy.nodes, version };
}

/** Groups and arrays by their paths, and the attributes of each by its path. */
function treeOf(
  nodes: readonly ZarrNode[],
  context: ArrayContext,
  findings: Finding[],
): { tree: Tree; attributes: { [path: string]: Json } } {
  const root = new PathTree();
  const attributes = Object.create(null) as { [path: string]: Json };
  const ordered = [...nodes].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  let only: Tree | undefined;
  for (const { path, array, attributes: own } of ordered) {
    if (Object.keys(own).length > 0) attributes[path] = attributesJson(own);
    const steps = path === "" ? [] : path.split("/");
    if (!array) root.branch(steps);
    else {
      const tree = arrayTree(array, path === "" ? "" : `${path}/`, steps.join("."), context, findings);
      if (path === "") only = tree;
      else if (!root.place(steps, tree)) {
        findings.push({
          rule: "zarr-bad-array",
          severity: "error",
          message: `The array ${quoted(path)} stands where another one does.`,
          at: path,
        });
      }
    }
  }
  return { tree: only ?? root.tree(), attributes: { ...attributes } };
}
