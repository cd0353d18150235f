/** Words in the names of functions that reach files, networks, processes or code: `from_file`, `runCommand`, `http_get`. */
const WORDS = new Set(
  (
    "load loads loader read write open save dump dumps exec execute run runner eval evaluate query shell spawn popen system call compile import download fetch url http https request requests " +
    "upload connect connection client server serve listen unlink rmdir mkdir remove delete rename symlink hardlink symlinkto hardlinkto chmod touch clone pretrained file files filename fromfile tofile pickle unpickle " +
    "launch main cli command commands subprocess inline interpreter repl install kill fork script session"
  ).split(" "),
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

/** Whether a name sounds like that of a function which reaches files, networks, processes or code. */
export const soundsRisky = (name: string): boolean => wordsOf(name).some((word) => WORDS.has(word));

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
