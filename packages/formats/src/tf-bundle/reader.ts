import {
  type ByteSource,
  type Checkpoint,
  checkLimit,
  type Finding,
  type FormatReader,
  finish,
  finishSync,
  type MapNode,
  type OpenOptions,
  type Reading,
  readStep,
  step,
  type Tree,
  withLimits,
} from "@ckptkit/core";
import { describeTree } from "../metadata.js";
import { opaque, TensorBuilder } from "./build-tensors.js";
import { type BundleIndex, readIndex } from "./entries.js";
import { locateIndex } from "./locate.js";
import { tensorNames } from "./names.js";
import { OBJECT_GRAPH } from "./object-graph.js";
import { type BundleShards, isAtHand, openShards } from "./shards.js";
import { tfBundleSignature } from "./signature.js";
import { type BundleTexts, readTexts } from "./texts.js";

/** Opens TensorFlow checkpoints from their index, with the data files beside it. */
export const tfBundleReader: FormatReader = {
  ...tfBundleSignature,
  open: openTfBundle,
  openSync: (source, options) => finishSync(readBundle(source, options)),
};

/** Name of the tree's attribute that holds what the checkpoint says of itself. */
const BUNDLE = "bundle";

/**
 * Opens a TensorFlow checkpoint (`tf.train.Checkpoint`, `Saver`, the variables of a SavedModel): from its `.index` file, from the text `checkpoint` that names
 * the latest one, or from a data file that has its index beside it. Reads the index, and values that are text. Variables that are stored in slices are put together
 * as they are read.
 *
 * @param options.openSibling opens the data files. One that is missing is a finding, and an error when its tensors are read.
 * @throws {CheckpointLoadError} TF_BUNDLE_CORRUPT, TF_BUNDLE_SHARD, UNSUPPORTED_FORMAT, LIMIT_EXCEEDED, TENSOR_OUT_OF_BOUNDS
 * @see https://github.com/tensorflow/tensorflow tensorflow/core/util/tensor_bundle/tensor_bundle.h
 * @example
 * const { tensors } = await openTfBundle(await open("ckpt-1.index"), { openSibling: (name) => open(name) });
 */
export async function openTfBundle(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  return finish(readBundle(source, options));
}

function* readBundle(source: ByteSource, options: OpenOptions): Reading<Checkpoint> {
  const limits = withLimits(options.limits);
  const findings: Finding[] = [];
  const located = yield* locateIndex(source, limits, findings, options);
  let shards: BundleShards | undefined;
  const closeOthers = async (): Promise<void> => {
    await Promise.all([located.close(), shards?.close()]);
  };
  try {
    const { index } = located;
    checkLimit(limits, "headerBytes", index.size, `Size of the index ${index.name}`);
    const bundle = readIndex(yield* readStep(index, 0, index.size, options), index.name, limits);
    const opened = yield* openShards(bundle, located, limits, findings, options);
    shards = opened;
    const builder = new TensorBuilder(bundle, opened, findings, limits);
    const atHand = bundle.entries.filter((entry) => isAtHand(entry, opened));
    const texts = yield* readTexts(atHand, (entry) => builder.bytesOf(entry), index.name, limits, findings, options);
    const names = tensorNames(bundle.entries, texts.objects ?? []);
    const entries = bundle.entries.map((entry): [Tree, Tree] => {
      const text = texts.trees.get(entry);
      const name = names.get(entry);
      return [entry.name, text ?? (name ? builder.build(entry, name) : opaque(entry))];
    });
    const facts = factsOf(bundle, texts);
    return {
      uri: source.name,
      format: "tf-bundle",
      layout: "state_dict",
      byteLength: index.size + opened.byteLength,
      tensors: builder.tensors,
      tree: { kind: "map", type: "dict", entries, attributes: { kind: "map", type: "dict", entries: [[BUNDLE, facts]] } },
      metadata: describeTree(facts, limits),
      findings,
      close: async () => {
        await Promise.all([source.close?.(), closeOthers()]);
      },
    };
  } catch (error) {
    yield* step({ what: "closing files", wait: closeOthers, now: () => void closeOthers() });
    throw error;
  }
}

/** What a checkpoint says of itself: how it was written, and its texts. */
function factsOf({ shardCount, bigEndian, producer }: BundleIndex, { trees, objects }: BundleTexts): MapNode {
  const entries: [Tree, Tree][] = [
    ["data_files", shardCount],
    ["byte_order", bigEndian ? "big" : "little"],
    ["producer", producer],
  ];
  if (objects) {
    entries.push(["objects", objects.length]);
    entries.push(["slot_variables", objects.reduce((sum, { slots }) => sum + slots.length, 0)]);
  }
  for (const [{ name }, tree] of trees) if (name !== OBJECT_GRAPH) entries.push([name, tree]);
  return { kind: "map", type: "dict", entries };
}
