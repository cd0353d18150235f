/** Words in the names of functions that load, download or run things: `load_dataset`, `runCommand`, `http_get`. */
const OF_FUNCTIONS = new Set(
  (
    "load loads exec execute run eval evaluate query shell spawn popen system compile import download fetch url http https request requests upload connect listen serve rmdir mkdir remove delete unlink " +
    "chmod clone pretrained pickle unpickle launch main cli command commands subprocess inline interpreter repl install kill fork"
  ).split(" "),
);
/** Words in the names of methods that reach files: `from_file`. A function of that name may only list images, as fastai's `get_image_files` does. */
const OF_METHODS = new Set(
  "loader read write open save dump dumps runner call connection client server rename symlink hardlink symlinkto hardlinkto touch file files filename fromfile tofile script session".split(
    " ",
  ),
);

/** Methods by which tables of pandas are written, and expressions that they evaluate. */
const OF_TABLES = /^(?:to_(?!numpy$|list$|dict$|period$|timestamp$)\w+|query|eval|pipe|apply|applymap|agg|aggregate|transform|map)$/;
/** Methods of numpy's arrays and of torch's tensors and storages that read or write files, or call what they are given. */
const OF_ARRAYS =
  /^(?:tofile|dump|fromfile|memmap|from_file|_write_file|_new_with_file|_set_from_file|_new_using_\w+|_new_shared\w*|_share_\w+)$/;

/** The words of a name: of `runCommand` and of `run_command` run and command. */
const wordsOf = (name: string): string[] =>
  name
    .replace(/([a-z\d])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .split(/[._]+/);

/** Whether a name sounds like that of a function which reaches networks, processes or code; for a method, also files. */
export const soundsRisky = (name: string, isMethod = false): boolean =>
  wordsOf(name).some((word) => OF_FUNCTIONS.has(word) || (isMethod && OF_METHODS.has(word)));

/**
 * Why a method of a class that is harmless itself is not: `pathlib.Path.write_text`. A pickle can name it as a dotted name, or by getattr.
 *
 * @param name `Class.method`.
 */
export function dangerousMethod(module: string, name: string): string | undefined {
  const method = name.slice(name.indexOf(".") + 1);
  if (method === name) return undefined;
  if (/^pathlib(?:\._\w+)?$/.test(module)) return "a method of a path: it reads, writes or removes files";
  if (/^pandas(?:\.|$)/.test(module) && OF_TABLES.test(method)) return "a method of a table that writes files or evaluates expressions";
  if (/^(?:numpy|torch)(?:\.|$)/.test(module) && OF_ARRAYS.test(method)) return "a method that reads or writes files";
  return undefined;
}
