/** A module and a name in it. */
export interface GlobalName {
  readonly module: string;
  readonly name: string;
}

/** @see https://github.com/python/cpython/blob/main/Lib/_compat_pickle.py IMPORT_MAPPING; the modules that data refers to. */
const MODULES: ReadonlyMap<string, string> = new Map([
  ["__builtin__", "builtins"],
  ["copy_reg", "copyreg"],
  ["exceptions", "builtins"],
]);

/** @see https://github.com/python/cpython/blob/main/Lib/_compat_pickle.py NAME_MAPPING; the rows of `__builtin__` and `exceptions`. */
const NAMES: ReadonlyMap<string, readonly [module: string, name: string]> = new Map([
  ["__builtin__ xrange", ["builtins", "range"]],
  ["__builtin__ reduce", ["functools", "reduce"]],
  ["__builtin__ intern", ["sys", "intern"]],
  ["__builtin__ unichr", ["builtins", "chr"]],
  ["__builtin__ unicode", ["builtins", "str"]],
  ["__builtin__ long", ["builtins", "int"]],
  ["exceptions StandardError", ["builtins", "Exception"]],
]);

const REVERSED: ReadonlyMap<string, string> = new Map([...NAMES].map(([python2, python3]) => [python3.join(" "), python2]));

/**
 * The Python 3 name of a global that Python 2, or Python 3 up to protocol 2, wrote. Only names of Python itself change; all others
 * come back as they are.
 *
 * @example normalizeGlobal("__builtin__", "long") // { module: "builtins", name: "int" }
 */
export function normalizeGlobal(module: string, name: string): GlobalName {
  const whole = NAMES.get(`${module} ${name}`);
  if (whole) return { module: whole[0], name: whole[1] };
  return { module: MODULES.get(module) ?? module, name };
}

/**
 * The name under which protocol 2 knows a Python 3 global: the reverse of {@link normalizeGlobal}, as CPython's pickler writes it.
 *
 * @example protocol2Global("builtins", "set") // { module: "__builtin__", name: "set" }
 */
export function protocol2Global(module: string, name: string): GlobalName {
  const [oldModule, oldName] = REVERSED.get(`${module} ${name}`)?.split(" ") ?? [];
  if (oldModule !== undefined && oldName !== undefined && oldModule !== "exceptions") return { module: oldModule, name: oldName };
  if (module === "builtins") return { module: "__builtin__", name };
  return { module: module === "copyreg" ? "copy_reg" : module, name };
}
