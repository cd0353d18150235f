import type { StateValues } from "./migrate.js";

/**
 * Modules that wrap a model while it is trained, and put their name between those of the model's own.
 *
 * @see torch/_dynamo/eval_frame.py, OptimizedModule; torch/distributed/fsdp/_common_utils.py, FSDP_WRAPPED_MODULE;
 * torch/distributed/algorithms/_checkpoint/checkpoint_wrapper.py, _CHECKPOINT_WRAPPED_MODULE; lightning/fabric/wrappers.py, _FabricModule
 */
const WRAPPERS: Readonly<Record<string, string>> = {
  _orig_mod: "torch_compile",
  _fsdp_wrapped_module: "fsdp",
  _checkpoint_wrapped_module: "activation_checkpointing",
  _forward_module: "fabric",
};

/** What DistributedDataParallel puts before every name. @see torch/nn/parallel/distributed.py */
const PARALLEL_PREFIX = "module.";

/**
 * Takes the names of wrappers out of a state dict: of torch.compile, (Distributed)DataParallel, FSDP and their kind. Names that
 * the model itself has stay.
 *
 * @param modelNames the model's own names, where there is a model.
 * @returns the values under their new names, and which wrappers were found.
 */
export function unwrapNames(values: StateValues, modelNames: readonly string[]): { values: StateValues; found: string[] } {
  const found: string[] = [];
  let current = values;
  const rename = (newName: (name: string) => string, layout: string): void => {
    const renamed = new Map([...current].map(([name, tensor]) => [newName(name), tensor]));
    if (renamed.size !== current.size) return; // both the wrapped and the unwrapped name are there: they mean something
    current = renamed;
    found.push(layout);
  };
  for (const [wrapper, layout] of Object.entries(WRAPPERS)) {
    const within = (name: string): boolean => name.split(".").includes(wrapper);
    if (![...current.keys()].some(within) || modelNames.some(within)) continue;
    rename(
      (name) =>
        name
          .split(".")
          .filter((segment) => segment !== wrapper)
          .join("."),
      layout,
    );
  }
  const isParallel = (names: readonly string[]): boolean => names.length > 0 && names.every((name) => name.startsWith(PARALLEL_PREFIX));
  if (isParallel([...current.keys()]) && !modelNames.some((name) => name.startsWith(PARALLEL_PREFIX))) {
    rename((name) => name.slice(PARALLEL_PREFIX.length), "data_parallel");
  }
  return { values: current, found };
}

/**
 * Names that modules had in older versions, and have now.
 *
 * @see torch/nn/utils/parametrizations.py, _weight_norm_compat_hook; transformers/modeling_utils.py, _fix_state_dict_key_on_load
 */
const RENAMED: readonly { layout: string; from: RegExp; to: string }[] = [
  { layout: "weight_norm", from: /(^|\.)(\w+)_g$/u, to: "$1parametrizations.$2.original0" },
  { layout: "weight_norm", from: /(^|\.)(\w+)_v$/u, to: "$1parametrizations.$2.original1" },
  { layout: "gamma_beta", from: /(^|\.)gamma$/u, to: "$1weight" },
  { layout: "gamma_beta", from: /(^|\.)beta$/u, to: "$1bias" },
];

/**
 * Gives tensors the names that the model's modules have now, where the model does not know the old one and does know the new one.
 *
 * @param modelNames the model's own names.
 */
export function renameModernised(values: StateValues, modelNames: ReadonlySet<string>): { values: StateValues; found: string[] } {
  const found = new Set<string>();
  const renamed = [...values].map(([name, tensor]) => {
    if (modelNames.has(name)) return [name, tensor] as const;
    for (const { layout, from, to } of RENAMED) {
      const modern = name.replace(from, to);
      if (modern === name || !modelNames.has(modern) || values.has(modern)) continue;
      found.add(layout);
      return [modern, tensor] as const;
    }
    return [name, tensor] as const;
  });
  return { values: new Map(renamed), found: [...found] };
}
