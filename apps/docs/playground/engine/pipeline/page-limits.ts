/** What a page cannot do that the command can, by what stands in the pipeline; each with what to do instead. */
const STAGES: Readonly<Record<string, string>> = {
  "source blob":
    "Only a program can hand over a Blob. To read a file that is open in this page, write its name: source: uri, with uri: NAME.",
};

const OPTIONS: Readonly<Record<string, string>> = {
  cacheDir: "A page keeps no folder of downloads: it reads remote files by range. The ckpt command uses this option.",
};

/**
 * Why a stage or an option cannot be used in a page; undefined when it can.
 *
 * @example notHere({ kind: "source", name: "blob" }) // "Only a program can hand over a Blob ..."
 */
export function notHere(what: { readonly kind: string; readonly name: string } | { readonly option: string }): string | undefined {
  if ("kind" in what) return STAGES[`${what.kind} ${what.name}`];
  return OPTIONS[what.option.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())];
}
