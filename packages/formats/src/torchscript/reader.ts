import {
  type ByteSource,
  type Checkpoint,
  CheckpointLoadError,
  type FormatReader,
  finish,
  finishSync,
  isNode,
  type OpenOptions,
  type Reading,
  TensorHandle,
  type Tree,
  withLimits,
} from "@ckptkit/core";
import { describeTree } from "../metadata.js";
import { isTorchScript, openTorchArchive, readPickles } from "../torch/torch-archive.js";
import { TreeBuilder } from "../torch/tree-builder.js";
import { ZipStorages } from "../torch/zip-storages.js";
import { findTensors } from "../walk-tensors.js";
import { SCRIPT_CONSTRUCTORS } from "./constructors.js";
import { torchScriptSignature } from "./signature.js";

/** Opens programs of TorchScript: what `torch.jit.save` and the mobile exporter write. */
export const torchScriptReader: FormatReader = {
  ...torchScriptSignature,
  open: openTorchScript,
  openSync: (source, options) => finishSync(readTorchScript(source, options)),
};

/** Under this key stand the constants of the program, which belong to its code and not to a module. */
const CONSTANTS_KEY = "__constants__";

/**
 * Opens an archive of TorchScript as far as its tensors go: the module with its parameters and buffers, and the constants of
 * its code. The code itself is not looked at.
 *
 * @throws {CheckpointLoadError} ZIP_*, PICKLE_*, TORCH_*, TENSOR_OUT_OF_BOUNDS, UNSUPPORTED_FORMAT, LIMIT_EXCEEDED
 * @see https://github.com/pytorch/pytorch torch/csrc/jit/docs/serialization.md
 * @example const checkpoint = await openTorchScript(blobSource(file));
 */
export async function openTorchScript(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  return finish(readTorchScript(source, options));
}

function* readTorchScript(source: ByteSource, options: OpenOptions): Reading<Checkpoint> {
  const limits = withLimits(options.limits);
  const opened = yield* openTorchArchive(source, limits, options);
  if (!isTorchScript(opened)) {
    throw new CheckpointLoadError("UNSUPPORTED_FORMAT", `${source.name} is an archive of torch.save, not a program of TorchScript.`, {
      suggestions: ["Open it with openCheckpoint, or with openTorchZip of @ckptkit/formats/torch."],
    });
  }
  const { archive, root, findings } = opened;
  findings.push({
    rule: "torchscript",
    severity: "info",
    message: "This is a TorchScript program: its code was not looked at.",
    at: `${root}/constants.pkl`,
  });
  const { values, bigEndian } = yield* readPickles(opened, ["data.pkl", "constants.pkl"], limits, options);
  const [module, constants] = ["data", "constants"].map((folder, index): Tree => {
    const storages = new ZipStorages(archive, `${root}/${folder}/`, bigEndian, folder === "data" ? "" : `${folder}/`);
    const builder = new TreeBuilder(storages.find, limits, { constructors: SCRIPT_CONSTRUCTORS });
    const tree = builder.build(values[index] ?? null);
    findings.push(...builder.findings);
    return tree;
  });
  const tree = withConstants(module ?? null, constants ?? null);
  const tensors = findTensors(tree, limits, findings).map(
    ({ keys, tensor }) => new TensorHandle(tensor, { keys, name: keys.join("."), group: keys[0] === CONSTANTS_KEY ? "other" : "model" }),
  );
  return {
    uri: source.name,
    format: "torchscript",
    layout: "pytorch",
    byteLength: source.size,
    tensors,
    tree,
    metadata: describeTree(tree, limits),
    findings,
    close: async () => source.close?.(),
  };
}

/** The module with the constants as one more attribute, where there are any. */
function withConstants(module: Tree, constants: Tree): Tree {
  const isEmpty = isNode(constants) && constants.kind === "list" && constants.items.length === 0;
  if (isEmpty || !isNode(module) || module.kind !== "object") return module;
  const entries = module.attributes?.entries ?? [];
  return { ...module, attributes: { kind: "map", type: "dict", entries: [...entries, [CONSTANTS_KEY, constants]] } };
}
