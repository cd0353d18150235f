/** A cell of a table. */
export type Cell = string | number | null;

/**
 * A Markdown table. Text of a file can neither end a cell nor be taken for Markdown or HTML.
 *
 * @example markdownTable(["name", "bytes"], [["a|b", 4]]); // "| name | bytes |\n| --- | --- |\n| a\\|b | 4 |"
 */
export function markdownTable(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const line = (cells: readonly Cell[]): string => `| ${cells.map((cell) => markdownText(String(cell ?? ""))).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Text of a file as Markdown shows it: in one line, and nothing of it is markup. */
export const markdownText = (text: string): string => text.replace(/[\\|`<>*_[\]]/g, (character) => `\\${character}`).replace(/\s+/g, " ");
