/** A pipeline as a person writes it. */
export interface PipelineDraft {
  readonly text: string;
  /** Name of its file, for messages. */
  readonly file: string;
  /** What stands for `${NAME}`; empty ones count as not given. */
  readonly variables: { readonly [name: string]: string };
}

/** A variable of a pipeline's text. */
export interface PipelineVariable {
  readonly name: string;
  /** What the comment at the head says of it. */
  readonly about: string;
  /** What stands in when nothing is given; undefined when something must be. */
  readonly fallback: string | undefined;
}

/** As the catalog reads variables: `$${` is a literal, then `${NAME}` or `${NAME:-default}`. */
const VARIABLE = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;
const HEAD = /^(?:\s*#.*(?:\n|$))+/;
/** `#   OUTPUT   where it goes (model.safetensors)`, as the templates write it. */
const ABOUT = /^\s*#\s{2,}([A-Za-z_][A-Za-z0-9_]*)\s{2,}(\S.*)$/gm;

/**
 * The variables of a pipeline, in the order in which its head describes them and its stages use them.
 *
 * @example variablesOf("#   OUT  where it goes\nstages: [{sink: save, path: ${OUT:-a.pt}}]"); // [{ name: "OUT", about: "where it goes", fallback: "a.pt" }]
 */
export function variablesOf(text: string): PipelineVariable[] {
  const head = HEAD.exec(text)?.[0] ?? "";
  const about = new Map([...head.matchAll(ABOUT)].map(([, name = "", sentence = ""]) => [name, sentence]));
  const used = new Map<string, string | undefined>();
  for (const line of text.slice(head.length).split("\n")) {
    if (/^\s*#/.test(line)) continue;
    for (const [, name, fallback] of line.matchAll(VARIABLE)) {
      if (name !== undefined && (!used.has(name) || used.get(name) === undefined)) used.set(name, fallback);
    }
  }
  const names = [...[...about.keys()].filter((name) => used.has(name)), ...[...used.keys()].filter((name) => !about.has(name))];
  return names.map((name) => ({ name, about: about.get(name) ?? "", fallback: used.get(name) }));
}

/** A text with the values of its variables, as far as there are any; what has none stays as it is. */
export const filledIn = (text: string, variables: PipelineDraft["variables"]): string =>
  text.replace(VARIABLE, (match, name: string | undefined, fallback: string | undefined) =>
    name === undefined ? "${" : variables[name] || (fallback ?? match),
  );

/** What a pipeline's text says that it is for: the comment at its head, up to its variables. */
export function purposeOf(text: string): string {
  const lines = (HEAD.exec(text)?.[0] ?? "").split("\n").map((line) => line.replace(/^\s*#/, ""));
  const end = lines.findIndex((line) => /^\s*$|^\s{3,}\S/.test(line));
  return lines
    .slice(0, end < 0 ? lines.length : end)
    .map((line) => line.trim())
    .join(" ")
    .trim();
}
