import { CheckpointError, CheckpointLoadError } from "@ckptkit/core";
import * as z from "zod";
import { pythonPattern } from "./python-pattern.js";

/** What of PEFT's LoraConfig decides the merged weights; the rest is kept and not looked at. @see peft/tuners/lora/config.py */
const schema = z.looseObject({
  peft_type: z.string(),
  r: z.int().positive().default(8),
  lora_alpha: z.number().default(8),
  use_rslora: z.boolean().nullish(),
  fan_in_fan_out: z.boolean().nullish(),
  rank_pattern: z.record(z.string(), z.int().positive()).nullish(),
  alpha_pattern: z.record(z.string(), z.number()).nullish(),
  modules_to_save: z.union([z.array(z.string()), z.string()]).nullish(),
  init_lora_weights: z.union([z.boolean(), z.string()]).nullish(),
});

/** A LoRA adapter's configuration, as far as merging needs it. */
export interface AdapterConfig {
  readonly fanInFanOut: boolean;
  readonly modulesToSave: readonly string[];
  /** Rank and scale of a module by its full path in the base model. */
  of(module: string): { rank: number; scale: number };
}

/** Options that change what an adapter means, and that are refused when they are set. */
const UNMERGEABLE: Readonly<Record<string, string>> = {
  use_dora: "DoRA scales the merged weight by a magnitude vector",
  use_qalora: "QA-LoRA pools its input in groups",
  use_bdlora: "BD-LoRA has block-diagonal factors",
  alora_invocation_tokens: "an activated LoRA applies to some tokens only, so it has no merged weights",
  arrow_config: "Arrow routes between several adapters at run time",
  kasa_config: "KaSA puts singular values between the factors, and changes the base weights",
  velora_config: "VeLoRA projects the gradients of its factors",
  monteclora_config: "MonteCLoRA samples its weights",
  layer_replication: "the layers of the base model are replicated",
  target_parameters: "it adapts parameters by their names, and not modules",
  trainable_token_indices: "it replaces single tokens of an embedding",
};

/** Ways of initialising that change the base weights, which the merged ones are then built on. @see peft/tuners/lora/layer.py, *_init */
const CHANGES_BASE = /^(pissa|olora|corda|loftq|lora_ga)/;

/**
 * Reads an adapter_config.json of PEFT.
 *
 * @throws {CheckpointLoadError} ADAPTER_CONFIG when it is malformed
 * @throws {CheckpointError} ADAPTER_UNSUPPORTED for what is not plain LoRA
 */
export function parseAdapterConfig(json: unknown, name: string): AdapterConfig {
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new CheckpointLoadError(
      "ADAPTER_CONFIG",
      `${name} is no configuration of a LoRA adapter: ${issue?.path.join(".") || "the whole"}: ${issue?.message}.`,
      {
        details: { issues: parsed.error.issues.map(({ path, message }) => ({ path: path.map(String), message })) },
      },
    );
  }
  const config = parsed.data;
  refuseUnmergeable(config, name);
  const ranks = patternTable(config.rank_pattern);
  const alphas = patternTable(config.alpha_pattern);
  const saved = config.modules_to_save ?? [];
  return {
    fanInFanOut: config.fan_in_fan_out ?? false,
    modulesToSave: typeof saved === "string" ? [saved] : saved,
    of(module) {
      const rank = ranks(module) ?? config.r;
      const alpha = alphas(module) ?? config.lora_alpha;
      return { rank, scale: alpha / (config.use_rslora ? Math.sqrt(rank) : rank) };
    },
  };
}

function refuseUnmergeable(config: z.output<typeof schema>, name: string): void {
  const kind = config.peft_type.toUpperCase();
  if (kind !== "LORA") throw unsupported(name, `its peft_type is ${config.peft_type}`);
  for (const [option, value] of Object.entries(config)) {
    if (isUnset(value)) continue;
    const why = Object.hasOwn(UNMERGEABLE, option) ? UNMERGEABLE[option] : undefined;
    if (why !== undefined) throw unsupported(name, `${option} is set: ${why}`);
    if (option.startsWith("use_") && option !== "use_rslora") throw unsupported(name, `${option} is set, which is not known here`);
  }
  const init = config.init_lora_weights;
  if (typeof init === "string" && CHANGES_BASE.test(init.toLowerCase())) {
    throw unsupported(name, `init_lora_weights is "${init}": PEFT changes the base weights before it merges`, [
      "Save it as a plain LoRA adapter with PEFT: save_pretrained(..., path_initial_model_for_weight_conversion=...).",
      "If the model given here holds the changed base weights already, set init_lora_weights to true in the configuration.",
    ]);
  }
}

const isUnset = (value: unknown): boolean =>
  value === undefined || value === null || value === false || (typeof value === "object" && Object.keys(value).length === 0);

function unsupported(
  name: string,
  why: string,
  suggestions: readonly string[] = ["Merge it with PEFT: merge_and_unload()."],
): CheckpointError {
  return new CheckpointError("ADAPTER_UNSUPPORTED", `The adapter of ${name} cannot be merged here: ${why}.`, { suggestions });
}

/** The value of the first pattern that a module's path, or its end after a dot, matches. @see peft/utils/other.py, get_pattern_key */
function patternTable(patterns: Readonly<Record<string, number>> | null | undefined): (module: string) => number | undefined {
  const rows = Object.entries(patterns ?? {}).map(([pattern, value]) => ({ matches: pythonPattern(`(.*\\.)?(${pattern})$`), value }));
  return (module) => rows.find(({ matches }) => matches(module))?.value;
}
