import type { AuditLog } from "./audit-log.js";

/** Modules of Keras whose classes are parts of models. Others hold tools: `keras.utils.get_file` downloads. */
const KERAS_CLASSES =
  /^(?:tf_)?keras(?:\.(?:src|api|_tf_keras|legacy|engine|layers|models|initializers|regularizers|constraints|optimizers|losses|metrics|activations|dtype_policies|quantizers|random)(?:\.\w+)*)?$/;
const CLASS_LIKE = /^_*[A-Z]\w*$/;
/** Modules of Keras whose functions are parts of models. */
const KERAS_FUNCTIONS = /^(?:tf_)?keras\.(?:losses|metrics|activations|initializers|regularizers|constraints|ops)$/;
/** How Keras marks values that are no classes: `__keras_tensor__`, `__tuple__`. */
const MARK = /^__\w+__$/;
/** A layer whose class is known to Keras by its name alone is one of these. */
const LAYERS = "keras.layers";
/** Stands for the module of classes that the user's own program must have registered. */
const CUSTOM = "custom_objects";

/**
 * Judges what a configuration of Keras would have loaded: each class and function that it names, with its module. Layers that hold compiled
 * code are a finding of their own.
 *
 * @param config JSON, as parsed.
 * @see https://github.com/keras-team/keras/blob/master/keras/src/saving/serialization_lib.py deserialize_keras_object
 */
export function auditKerasConfig(config: unknown, where: string, log: AuditLog): void {
  let hasLambda = false;
  // A stack rather than recursion: nothing bounds how deep JSON nests.
  const waiting: unknown[] = [config];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next !== "object" || next === null) continue;
    const { class_name: name } = next as { class_name?: unknown }; // any object may be asked for a property
    if (typeof name === "string") hasLambda = auditObject(name, next, where, log) || hasLambda;
    for (const value of Object.values(next)) if (typeof value === "object" && value !== null) waiting.push(value);
  }
  if (hasLambda) noteLambda(where, log);
}

/** Notes that a model holds compiled code. */
export const noteLambda = (where: string, log: AuditLog): void =>
  log.note("keras-lambda", "The model has a Lambda layer, which holds compiled Python code.", where);

/** Judges one class or function. Tells whether it holds compiled code. */
function auditObject(
  name: string,
  { module, config, registered_name: registered }: { module?: unknown; config?: unknown; registered_name?: unknown },
  where: string,
  log: AuditLog,
): boolean {
  if (name === "Lambda" || name === "__lambda__") return true;
  if (MARK.test(name)) return false;
  if (typeof module !== "string") {
    if (log.isBad(LAYERS, name)) log.use(LAYERS, name, where);
    else if (typeof registered === "string" && registered !== name) log.use(CUSTOM, name, where);
    return false;
  }
  const isFunction = name === "function";
  const wanted = isFunction && typeof config === "string" ? config : name;
  // Keras looks for these among its own losses, metrics and activations, and among what the user registered.
  if (isFunction && module === "builtins") return false;
  const isPart = isFunction ? KERAS_FUNCTIONS.test(module) : KERAS_CLASSES.test(module) && CLASS_LIKE.test(wanted);
  if (!isPart || (!isFunction && (log.isBad(module, wanted) || log.isBad(LAYERS, wanted)))) log.use(module, wanted, where);
  return false;
}
