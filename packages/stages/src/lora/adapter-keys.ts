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

/** What a key says. */
interface ParsedKey extends KeyedTensor {
  readonly kind: AdapterPart | "saved" | "original" | "plain" | "foreign";
  /** The module of a factor; the name in the base model of anything else. */
  readonly name: string;
  /** The adapter that it names. */
  readonly adapter: string | undefined;
}

function parseKey(key: string, data: TensorData): ParsedKey {
  const name = key.startsWith(PREFIX) ? key.slice(PREFIX.length) : key;
  const wrapped = WRAPPED.exec(name);
  if (wrapped) {
    const kind = wrapped[3] === undefined ? "saved" : "original";
    return { key, data, kind, name: withoutBaseLayers(`${wrapped[1]}.${wrapped[4]}`), adapter: wrapped[2] };
  }
  const factor = FACTOR.exec(name);
  if (!factor) return { key, data, kind: FOREIGN.test(name) ? "foreign" : "plain", name: withoutBaseLayers(name), adapter: undefined };
  const [, module = "", letter, adapter, suffix, embeddingLetter, embeddingAdapter] = factor;
  const about = { key, data, name: withoutBaseLayers(module), adapter: adapter ?? embeddingAdapter };
  if (embeddingLetter) return { ...about, kind: embeddingLetter === "A" ? "embeddingA" : "embeddingB" };
  if (suffix === "bias") return { ...about, kind: letter === "B" ? "bias" : "foreign" };
  return { ...about, kind: letter === "A" ? "A" : "B" };
}

/**
 * Sorts the tensors of an adapter by their keys. Understands what PEFT's `save_pretrained` writes, and state dicts of the wrapped model,
 * which name the adapter and hold base weights as well.
 *
 * @param adapterName which adapter to take where keys name several.
 * @throws {CheckpointError} ADAPTER_UNSUPPORTED for keys of another kind of adapter; INVALID_ARGUMENT for several adapters, or a name
 * that is not there; NAME_CONFLICT when two keys mean the same tensor
 */
export function parseAdapterKeys(tensors: ReadonlyMap<string, TensorData>, adapterName: string | undefined, uri: string): AdapterTensors {
  const parsed = [...tensors].map(([key, data]) => parseKey(key, data));
  const chosen = chooseAdapter(parsed, adapterName, uri);
  const modules = new Map<string, AdapterModule>();
  const replacements = new Map<string, KeyedTensor & { saved: boolean }>();
  const saved = new Set(parsed.flatMap(({ kind, name }) => (kind === "saved" ? [name] : [])));
  const foreign: string[] = [];
  for (const { kind, name, adapter, key, data } of parsed) {
    if (adapter !== undefined && adapter !== chosen) continue;
    // The original module is the base model's own, which a saved one stands for.
    if (kind === "original" && saved.has(name)) continue;
    if (kind === "foreign" || kind === "original") foreign.push(key);
    else if (kind === "saved" || kind === "plain") {
      const other = replacements.get(name);
      if (other) throw sameTensor(other.key, key, uri);
      replacements.set(name, { key, data, saved: kind === "saved" });
    } else {
      const module = modules.get(name) ?? { path: name, parts: new Map() };
      const other = module.parts.get(kind);
      if (other) throw sameTensor(other.key, key, uri);
      module.parts.set(kind, { key, data });
      modules.set(name, module);
    }
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

function chooseAdapter(parsed: readonly ParsedKey[], wanted: string | undefined, uri: string): string | undefined {
  const names = new Set(parsed.flatMap(({ adapter }) => adapter ?? []));
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

function sameTensor(first: string, second: string, uri: string): CheckpointError {
  return new CheckpointError("NAME_CONFLICT", `${uri} holds one tensor of the adapter twice: as ${first} and as ${second}.`, {
    details: { keys: [first, second] },
  });
}

function foreignKeys(keys: readonly string[], uri: string): CheckpointError {
  const dora = keys.some((key) => key.includes("lora_magnitude_vector"));
  return new CheckpointError(
    "ADAPTER_UNSUPPORTED",
    `${uri} holds ${keys.length} tensors that are not plain LoRA${dora ? " (DoRA's magnitude vectors)" : ""}: ${keys.slice(0, 5).join(", ")}${keys.length > 5 ? " ..." : ""}.`,
    { details: { keys }, suggestions: ["Merge it with PEFT: merge_and_unload()."] },
  );
}
