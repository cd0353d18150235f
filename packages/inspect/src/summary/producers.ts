import type { Checkpoint, Json } from "@ckptkit/core";

/** Software that says in the file that it made it, or for which it was made. */
export interface Producer {
  name: string;
  version?: string;
  /** The metadata entry that says so. */
  from: string;
}

/** Entries that frameworks write, and whose they are. */
const VERSION_KEYS: Readonly<Record<string, string>> = {
  "pytorch-lightning_version": "PyTorch Lightning",
  lightning_version: "Lightning",
  torch_version: "PyTorch",
  pytorch_version: "PyTorch",
  transformers_version: "Transformers",
  diffusers_version: "Diffusers",
  peft_version: "PEFT",
  fairseq_version: "fairseq",
  allennlp_version: "AllenNLP",
  mmcv_version: "MMCV",
  mmengine_version: "MMEngine",
  keras_version: "Keras",
  megatron_version: "Megatron-LM",
  // Megatron-LM's checkpoints have a version of their own format instead.
  checkpoint_version: "checkpoint format",
};

/** The `format` entry of safetensors' `__metadata__`, as Hugging Face's libraries write it. */
const FRAMEWORKS: Readonly<Record<string, string>> = { pt: "PyTorch", tf: "TensorFlow", flax: "Flax", np: "NumPy", mlx: "MLX", jax: "JAX" };

/** Deepest place at which versions are looked for: top-level entries, and those of a configuration in them. */
const NESTED = ["config", "meta", "__metadata__"];

/** The producers that the metadata names, in its order. */
export function producersOf({ metadata, format }: Pick<Checkpoint, "metadata" | "format">): Producer[] {
  const producers = [...versionsIn(metadata, "")];
  for (const key of NESTED) {
    const inner = metadata[key];
    if (isObject(inner)) producers.push(...versionsIn(inner, `${key}.`));
  }
  const framework = metadata.format;
  if (format.startsWith("safetensors") && typeof framework === "string") {
    producers.push({ name: FRAMEWORKS[framework] ?? framework, from: "format" });
  }
  return producers;
}

const isObject = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function* versionsIn(entries: { readonly [key: string]: Json }, prefix: string): Generator<Producer> {
  for (const [key, name] of Object.entries(VERSION_KEYS)) {
    const version = Object.hasOwn(entries, key) ? entries[key] : undefined;
    if (typeof version === "string" || typeof version === "number") yield { name, version: String(version), from: prefix + key };
  }
}
