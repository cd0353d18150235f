// The matrix as one table, and below it why a cell is not green.

/** The text of the whole matrix. */
export function matrixTable(columns, rows, types) {
  const names = rows.map(({ entry }) => entry.name);
  const marks = rows.map(({ cells }) => cells.map(({ mark }) => mark));
  const parts = [
    "Each package alone: installed, loaded, its README's program run; bundled, and the bundle run",
    grid(
      ["", ...columns.map(({ title }) => title)],
      names.map((name, row) => [name, ...marks[row]]),
    ),
  ];
  if (types.length > 0) {
    parts.push(
      "All packages, every export and README, type-checked strictly",
      grid(
        ["", ...types[0].cells.map(({ title }) => title)],
        types.map(({ name, cells }) => [name, ...cells.map(({ mark }) => mark)]),
      ),
    );
  }
  const notes = [...cellsOf(columns, rows), ...types.flatMap(({ name, cells }) => cells.map((cell) => [`${name}, ${cell.title}`, cell]))];
  const absent = new Map(notes.filter(([, { mark }]) => mark === "-").map(([where, { note }]) => [note, where]));
  if (absent.size > 0) parts.push(["Not here (-):", ...[...absent].map(([note, where]) => `  ${where}: ${note}`)].join("\n"));
  for (const [where, { note, trouble }] of notes.filter(([, { mark }]) => mark === "FAIL")) {
    parts.push(`FAIL  ${where}: ${note ?? ""}\n${(trouble ?? "").trimEnd().split("\n").slice(-25).join("\n").replace(/^/gm, "    ")}`);
  }
  return `\n${parts.join("\n\n")}`;
}

/** How many cells are green, failed, and cannot be had here. */
export function verdict(columns, rows, types) {
  const marks = [...cellsOf(columns, rows).map(([, { mark }]) => mark), ...types.flatMap(({ cells }) => cells.map(({ mark }) => mark))];
  const count = (wanted) => marks.filter((mark) => mark === wanted).length;
  return { green: count("ok"), failed: count("FAIL"), absent: count("-") };
}

const cellsOf = (columns, rows) =>
  rows.flatMap(({ entry, cells }) => cells.map((cell, column) => [`${entry.name}, ${columns[column].title}`, cell]));

function grid(head, body) {
  const widths = head.map((_, column) => Math.max(...[head, ...body].map((row) => row[column].length)));
  return [head, ...body].map((row) => `  ${row.map((text, column) => text.padEnd(widths[column])).join("  ")}`.trimEnd()).join("\n");
}
