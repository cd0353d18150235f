import { normalizeGlobal } from "@ckptkit/pickle";
import { allowedBecause } from "./allow-list.js";
import { dangerousBecause, looksDangerous } from "./danger-list.js";
import { ownerOf } from "./known-modules.js";
import { soundsRisky } from "./risky-names.js";
import type { AuditPolicy, Verdict } from "./verdict.js";

/** A verdict and why. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly reason: string;
}

/** Parts of torch and numpy whose classes only hold numbers and settings: one that is not on the list is unknown, not suspicious. */
const FAMILIES =
  /^torch\.(?:nn|optim|ao|quantization|distributions|legacy|autograd|random|cuda|utils\.data|sparse|masked|nested|_tensor|distributed\.(?:checkpoint|tensor|_tensor|_shard|_composable|fsdp|algorithms|optim|device_mesh))(?:\.|$)|^numpy\.(?:random|ma|core|_core|polynomial|lib)(?:\.|$)/;

/** Classes that stand in a whole model which torch.compile has wrapped: they are made without being called. */
const COMPILED =
  /^torch\._dynamo\.(?:eval_frame (?:OptimizedModule|OptimizeContext|_TorchDynamoContext)|convert_frame (?:CatchErrorsWrapper|ConvertFrame\w*)|repro\.after_dynamo WrapBackendDebug|hooks Hooks)$|^torch _TorchCompile\w*Wrapper(?:\.get_compiler_config)?$/;
/** Classes whose names begin like those of functions. */
const LOWER_CLASSES =
  /^scipy\.stats\._(?:continuous|discrete)_distns \w+_gen$|^scipy\.stats\._kde gaussian_kde$|^numpy poly1d$|^numpy\.lib\.(?:polynomial|_polynomial_impl) poly1d$|^sklearn\.(?:\w+\.)*_\w+ (?:newObj|_kmeans_single_\w+)$|^sklearn\.neighbors\.(?:dist_metrics|kd_tree|ball_tree) newObj$|^torchvision\.datasets\.folder (?:default|pil|accimage)_loader$|^scipy\._lib\.array_api_compat\.\w+\._aliases \w+$/;

/** How Python names classes: `Linear`, `_Reduction`, `Outer.Inner`. */
const CLASS_LIKE = /^_*[A-Z]\w*(?:\.\w+)*$/;
/** What Cython writes to bring back an instance of a class. */
const CYTHON = /^__pyx_unpickle_\w+$/;
const DOTTED = /^[\p{L}_][\p{L}\p{N}_]*(?:\.[\p{L}_][\p{L}\p{N}_]*)*$/u;
/** `Outer.<locals>.Inner` stands for what is made within a function. */
const LOCALS = /\.<locals>|<lambda>/g;

/**
 * Judges a name that a pickle would import: by exact name where it is on the list of what is harmless, else by what is known of its module.
 *
 * @example judgeGlobal("posix", "system").verdict // "dangerous"
 */
export function judgeGlobal(spelledModule: string, spelledName: string, policy: AuditPolicy = {}): Judgement {
  if (isListed(policy.deny, spelledModule, spelledName)) return { verdict: "dangerous", reason: "the policy denies it" };
  if (isListed(policy.allow, spelledModule, spelledName)) return { verdict: "clean", reason: "the policy allows it" };
  const { module, name } = normalizeGlobal(spelledModule, spelledName);
  const allowed = allowedBecause(module, name);
  if (allowed !== undefined) return { verdict: "clean", reason: allowed };
  // Calls its first argument, which judge-calls.ts looks at.
  if (/^dill(?:\._dill)? _create_array$/.test(`${module} ${name}`)) return { verdict: "unknown", reason: "how dill brings arrays back" };
  if (COMPILED.test(`${module} ${name}`)) return { verdict: "unknown", reason: "a class that torch.compile leaves in a model" };
  const dangerous = dangerousBecause(module, name);
  if (dangerous !== undefined) return { verdict: "dangerous", reason: dangerous };
  if (!DOTTED.test(module) || !DOTTED.test(name.replace(LOCALS, ""))) {
    return { verdict: "suspicious", reason: "it is not the name of anything that Python could import" };
  }
  if (looksDangerous(name)) return { verdict: "suspicious", reason: "it has the name of a function that runs its arguments" };
  const owner = ownerOf(module);
  if (owner === "other" || CYTHON.test(name)) return { verdict: "unknown", reason: "a name of a module that is not known here" };
  const top = module.split(".", 1)[0];
  if (isUnknown(module, name, owner)) {
    return { verdict: "unknown", reason: "a class that is not on the list of what is known to be harmless" };
  }
  if (owner === "framework" && !soundsRisky(name, name.includes(".")))
    return { verdict: "unknown", reason: `a function of the package ${top}` };
  const whose = owner === "standard" ? "Python's standard library" : `the package ${top}`;
  return { verdict: "suspicious", reason: `a name of ${whose} that checkpoints do not need` };
}

/** Whether a name is that of a class, or of a part of one, about which nothing is known but that its kind is harmless. */
function isUnknown(module: string, name: string, owner: ReturnType<typeof ownerOf>): boolean {
  const [first = name] = name.split(".", 1);
  const isMethod = first !== name && soundsRisky(name.slice(first.length), true);
  if (isMethod) return false;
  // An attribute of a class that is on the list, such as a member of an enumeration.
  if (first !== name && allowedBecause(module, first) !== undefined) return true;
  if (LOWER_CLASSES.test(`${module} ${name}`)) return true;
  if (!CLASS_LIKE.test(name)) return false;
  if (owner === "framework") return true;
  return owner === "package" && (!/^(?:torch|numpy)(?:\.|$)/.test(module) || FAMILIES.test(module));
}

/** Whether a list of `module.name` and `module.*` has a name. */
function isListed(list: readonly string[] | undefined, module: string, name: string): boolean {
  const dotted = `${module}.${name}`;
  return list?.some((entry) => entry === dotted || (entry.endsWith(".*") && dotted.startsWith(entry.slice(0, -1)))) ?? false;
}
