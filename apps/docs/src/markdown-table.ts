/** A Markdown table. Pipes, line breaks and tags in cells are escaped. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cellText).join(" | ")} |`;
  return [line(head), `|${head.map(() => " --- ").join("|")}|`, ...rows.map(line)].join("\n");
}

/** Text as a code span. */
export const code = (text: string): string => `\`${text}\``;

/** Text that ends like a sentence. */
export const sentence = (text: string): string => (text === "" || /[.!?]$/.test(text) ? text : `${text}.`);

const cellText = (cell: string): string =>
  cell
    .replaceAll("|", "\\|")
    .replaceAll("\n", " ")
    .replace(/(?<!`[^`]*)<(?=[a-z])/g, "&lt;");
