/**
 * The command that runs a pipeline as the page does, for a POSIX shell.
 *
 * @example commandLine("shard.yaml", { CHECKPOINT: "my model.pt" }) // "CHECKPOINT='my model.pt' ckpt run shard.yaml"
 */
export function commandLine(file: string, variables: { readonly [name: string]: string }): string {
  const given = Object.entries(variables).filter(([, value]) => value !== "");
  return [...given.map(([name, value]) => `${name}=${quoted(value)}`), "ckpt", "run", quoted(file)].join(" ");
}

const quoted = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
