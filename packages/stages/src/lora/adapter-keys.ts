import { CheckpointError, type TensorData } from "@ckptkit/core";

/** The tensors of an adapter that belong to one module of the base model. */
export interface AdapterModule {
  /** Path in the base model. */
  readonly path: string;
  /** By the part that they play: keys are kept for messages. */
  readonly parts: Map<AdapterPart, KeyedTensor>;
}

/** A tensor and its name in the adapter's file. */
export interface KeyedTensor {
  readonly key: string;
  readonly data: TensorData;
}

/** What a tensor of an adapter is to its module. */
export type AdapterPart = "A" | "B" | "bias" | "embeddingA" | "embeddingB";

/** What an adapter's file holds, sorted by what it is for. */
export interface AdapterTensors {
  readonly modules: ReadonlyMap<string, AdapterModule>;
  /** Whole parameters of the base model that the adapter replaces, by their names there: `modules_to_save`, biases, resized embeddings. */
  readonly replacements: ReadonlyMap<string, KeyedTensor & { readonly saved: boolean }>;
}

/** `<module>.lora_A[.<adapter>].weight`, `<module>.lora_embedding_A[.<adapter>]`. @see peft/utils/save_and_load.py */
const FACTOR = /^(?:(.*)\.)?lora_(?:(?:(A|B)(?:\.([^.]+))?\.(weight|bias))|(?:embedding_(A|B)(?:\.([^.]+))?))$/;
/** Other tensors of PEFT's own: DoRA's magnitudes, tokens, other methods. */
const FOREIGN = /(?:^|\.)(?:lora_\w+|token_adapter|trainable_tokens_\w+|vera_\w+|ia3_l|hada_w\w+|lokr_w\w+|oft_\w+|boft_\w+)(?:\.|$)/;
/** `<module>.modules_to_save.<adapter>.<rest>`, `<module>.original_module.<rest>` */
const WRAPPED = /^(.*)\.(?:modules_to_save\.([^.]+)|(original_module))\.(.+)$/;
/** What a PeftModel puts before every name of its base model. */
const PREFIX = "base_model.model.";

/**
 * Sorts the tensors of an adapter by their keys. Understands what PEFT's `save_pretrained` writes, and state dicts of the wrapped model,
 * which name the adapter and hold base weights as well.
 *
 * @param adapterName which adapter to take where keys name several.
 * @throws {CheckpointError} ADAPTER_UNSUPPORTED for keys of another kind of adapter; INVALID_ARGUMENT for several adapters, or a name
 * that is not there
 */
export function parseAdapterKeys(tensors: ReadonlyMap<string, TensorData>, adapterName: string | undefined, uri: string): AdapterTensors {
  const chosen = chooseAdapter(tensors.keys(), adapterName, uri);
  const modules = new Map<string, AdapterModule>();
  const replacements = new Map<string, KeyedTensor & { saved: boolean }>();
  const foreign: string[] = [];
  for (const [key, data] of tensors) {
    const name = key.startsWith(PREFIX) ? key.slice(PREFIX.length) : key;
    const wrapped = WRAPPED.exec(name);
    const factor = wrapped ? undefined : FACTOR.exec(name);
    if (factor) {
      const named = factor[3] ?? factor[6];
      if (named !== undefined && named !== chosen) continue;
      const path = withoutBaseLayers(factor[1] ?? "");
      const module = modules.get(path) ?? { path, parts: new Map() };
      const part = factor[5]
        ? factor[5] === "A"
          ? "embeddingA"
          : "embeddingB"
        : factor[4] === "bias"
          ? "bias"
          : factor[2] === "A"
            ? "A"
            : "B";
      if (factor[4] === "bias" && factor[2] === "A") foreign.push(key);
      else modules.set(path, { path, parts: module.parts.set(part, { key, data }) });
    } else if (wrapped) {
      // The original module is the base model's own, which the saved one stands for.
      if (wrapped[2] !== undefined && wrapped[2] === chosen)
        replacements.set(withoutBaseLayers(`${wrapped[1]}.${wrapped[4]}`), { key, data, saved: true });
    } else if (FOREIGN.test(name)) foreign.push(key);
    else replacements.set(withoutBaseLayers(name), { key, data, saved: false });
  }
  if (foreign.length > 0) throw foreignKeys(foreign, uri);
  return { modules, replacements };
}

/** The names of the parameters, without the layers that PEFT puts around those that it adapts. */
const withoutBaseLayers = (name: string): string =>
  name
    .split(".")
    .filter((part) => part !== "base_layer")
    .join(".");

function chooseAdapter(keys: Iterable<string>, wanted: string | undefined, uri: string): string | undefined {
  const names = new Set<string>();
  for (const key of keys) {
    const factor = FACTOR.exec(key);
    const name = factor?.[3] ?? factor?.[6] ?? WRAPPED.exec(key)?.[2];
    if (name !== undefined) names.add(name);
  }
  const listed = [...names].join(", ");
  if (wanted !== undefined && !names.has(wanted)) {
    throw new CheckpointError("INVALID_ARGUMENT", `${uri} has no adapter named "${wanted}".`, {
      details: { adapterName: wanted, names: [...names] },
      suggestions: [names.size > 0 ? `It has: ${listed}.` : "Its keys do not name an adapter: leave adapterName out."],
    });
  }
  if (wanted === undefined && names.size > 1) {
    throw new CheckpointError("INVALID_ARGUMENT", `${uri} holds several adapters: ${listed}.`, {
      details: { names: [...names] },
      suggestions: ["Choose one with adapterName."],
    });
  }
  return wanted ?? [...names][0];
}

function foreignKeys(keys: readonly string[], uri: string): CheckpointError {
  const dora = keys.some((key) => key.includes("lora_magnitude_vector"));
  return new CheckpointError(
    "ADAPTER_UNSUPPORTED",
    `${uri} holds ${keys.length} tensors that are not plain LoRA${dora ? " (DoRA's magnitude vectors)" : ""}: ${keys.slice(0, 5).join(", ")}${keys.length > 5 ? " ..." : ""}.`,
    { details: { keys }, suggestions: ["Merge it with PEFT: merge_and_unload()."] },
  );
}
