import { asNumber, type Checkpoint, getEntry, isNode, type MapNode, type Tree } from "@ckptkit/core";
import type { CheckpointContext, ModelAdapter } from "@ckptkit/core/pipeline";
import { checkpointOfTree, findStateDict } from "@ckptkit/formats";
import { asHandle } from "../tensors/views.js";

/** What describes a model, and stays true whatever it is trained with. */
const DESCRIBING = ["pytorch-lightning_version", "hparams_name", "hparams_type", "hyper_parameters", "datamodule_hyper_parameters"];
/** What belongs to one training: it goes on only where that training goes on. */
const TRAINING_KEYS = new Set([
  ...["state_dict", "model_state_dict", "model", "epoch", "global_step"],
  ...["optimizer_states", "optimizer_state_dict", "optimizer", "lr_schedulers", "scheduler_state_dict", "lr_scheduler", "scheduler"],
]);

/**
 * The current state of a context's model as a checkpoint: its tensors, the states of optimizer and scheduler, epoch and step
 * of the metadata, and what the checkpoint that it was loaded from says of it. Reads nothing: the tensors are computed when they
 * are scanned, hashed or written.
 *
 * @throws {CheckpointConfigError} CONTEXT_INCOMPLETE
 * @example await convertCheckpoint(checkpointOfModel(context, "SaveSink"), create, { kernels, fileName, to: "safetensors" });
 */
export function checkpointOfModel(context: CheckpointContext, stageName: string): Checkpoint {
  const model = context.require(stageName, "model");
  const { checkpoint, optimizer, scheduler } = context;
  const weights = weightsOf(model, checkpoint);
  const before = checkpoint && isNode(checkpoint.tree) && checkpoint.layout !== "state_dict" ? checkpoint.tree : undefined;
  const resumed = context.metadata.loading_strategy === "warm_start";
  const rest = before?.kind === "map" ? before.entries.filter(([key]) => keeps(key, resumed)) : [];
  const tree: MapNode = {
    kind: "map",
    type: "dict",
    entries: [
      ["epoch", counter(context, before, "epoch")],
      ["global_step", counter(context, before, "global_step")],
      ["state_dict", weights],
      ...rest,
      ...stateful("optimizer_states", optimizer?.stateDict()),
      ...stateful("lr_schedulers", scheduler?.stateDict()),
    ],
  };
  return checkpointOfTree(tree, { uri: checkpoint ? `the model loaded from ${checkpoint.uri}` : "the model", format: "model" });
}

/** The current tensors of a model alone, under their names. */
export function checkpointOfWeights(model: ModelAdapter): Checkpoint {
  return checkpointOfTree(weightsOf(model, undefined), { uri: "the model", format: "model" });
}

const keeps = (key: Tree, resumed: boolean): boolean =>
  typeof key === "string" && (DESCRIBING.includes(key) || (resumed && !TRAINING_KEYS.has(key)));

function weightsOf(model: ModelAdapter, checkpoint: Checkpoint | undefined): MapNode {
  const entries = [...model.stateDict()].map(([name, tensor]): [Tree, Tree] => [
    name,
    { kind: "tensor", tensor: asHandle(tensor, name).spec },
  ]);
  const node: MapNode = { kind: "map", type: "collections.OrderedDict", entries };
  const before = checkpoint && findStateDict(checkpoint.tree)?.tree;
  // `_metadata` holds the versions of the modules: it is right for a state dict of the same names.
  const same = before?.entries.length === entries.length && before.entries.every(([name], index) => entries[index]?.[0] === name);
  return same && before?.attributes ? { ...node, attributes: before.attributes } : node;
}

/** What the metadata say, as a new training begins at 0; or the checkpoint. */
function counter(context: CheckpointContext, before: Tree | undefined, key: string): number {
  const recorded = context.getMetadata(key, null);
  return typeof recorded === "number" ? recorded : (asNumber(getEntry(before, key)) ?? 0);
}

function stateful(key: string, state: Tree | undefined): [Tree, Tree][] {
  return state === undefined ? [] : [[key, { kind: "list", type: "list", items: [state] }]];
}
