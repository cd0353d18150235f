import {
  type ByteSource,
  type Checkpoint,
  checkLimit,
  type Finding,
  type FormatReader,
  finish,
  finishSync,
  type OpenOptions,
  type Reading,
  step,
  withLimits,
} from "@ckptkit/core";
import { describeTree } from "../metadata.js";
import { TensorBuilder } from "./build-tensors.js";
import { dataFiles, ExternalData } from "./external.js";
import { customOperators, modelFacts } from "./model-facts.js";
import { modelTree, tensorsOf } from "./model-tree.js";
import { readModel } from "./read-model.js";
import { onnxSignature } from "./signature.js";

/** Opens ONNX models from their description, with data files beside them. */
export const onnxReader: FormatReader = {
  ...onnxSignature,
  open: openOnnx,
  openSync: (source, options) => finishSync(readOnnx(source, options)),
};

/** Name of the tree's attribute that holds what the model says of itself. */
const MODEL = "model";

/**
 * Opens an ONNX model: its tensors, versions, inputs, outputs and operators. Values of tensors are passed over, however large, and read when they are
 * asked for; those in other files from files beside the model, and from nowhere else.
 *
 * @param options.openSibling opens the files with external data. One that is missing is a finding, and an error when its tensors are read.
 * @throws {CheckpointLoadError} ONNX_CORRUPT, LIMIT_EXCEEDED
 * @see https://github.com/onnx/onnx/blob/main/docs/IR.md
 * @example
 * const { tensors, metadata } = await openOnnx(blobSource(file));
 * console.log(metadata.opset_import, metadata.inputs, tensors.length);
 */
export async function openOnnx(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  return finish(readOnnx(source, options));
}

/**
 * Names of the files beside a model that hold values of its tensors. Does not close the source.
 *
 * @throws {CheckpointLoadError} ONNX_CORRUPT, LIMIT_EXCEEDED
 * @example const files = await onnxDataFiles(blobSource(file)); // ["model.onnx.data"]
 */
export async function onnxDataFiles(source: ByteSource, options: OpenOptions = {}): Promise<string[]> {
  const model = await finish(readModel(source, withLimits(options.limits), options));
  return [...dataFiles(tensorsOf(model))].sort();
}

function* readOnnx(source: ByteSource, options: OpenOptions): Reading<Checkpoint> {
  const limits = withLimits(options.limits);
  const model = yield* readModel(source, limits, options);
  const all = [...tensorsOf(model)];
  checkLimit(limits, "tensors", all.length, `Tensors in ${source.name}`);
  const findings: Finding[] = customOperators(model);
  const external = yield* ExternalData.open(source.name, all, limits, findings, options);
  try {
    const builder = new TensorBuilder(source, external, findings, options.mode === "strict");
    const tree = modelTree(model, (tensor, keys, group) => builder.build(tensor, keys, group));
    const facts = modelFacts(model);
    tree.attributes = { kind: "map", type: "dict", entries: [[MODEL, facts]] };
    return {
      uri: source.name,
      format: "onnx",
      layout: "state_dict",
      byteLength: source.size + external.byteLength,
      tensors: builder.tensors,
      tree,
      metadata: describeTree(facts, limits),
      findings,
      close: async () => {
        await Promise.all([source.close?.(), external.close()]);
      },
    };
  } catch (error) {
    yield* step({ what: "closing files", wait: () => external.close(), now: () => void external.close() });
    throw error;
  }
}
