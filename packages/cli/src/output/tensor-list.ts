import { formatSize } from "@ckptkit/core";
import type { TensorReport } from "@ckptkit/inspect";
import { printable } from "./printable.js";
import type { Screen } from "./screen.js";
import { countText, plural } from "./sizes.js";
import { type Row, tableText } from "./table.js";

/**
 * Lists tensors in the order of the file.
 *
 * @param all how many there are, when these are not all of them
 */
export function writeTensorList(tensors: readonly TensorReport[], all: number | undefined, screen: Screen): void {
  if (tensors.length === 0) return;
  const { colors } = screen;
  const title = all === undefined ? "tensors" : `${plural(tensors.length, "tensor")} of ${countText(all)}`;
  const firstByView = new Map<string, string>();
  const rows = tensors.map((tensor): Row => {
    const { path, dtype, shape, byteLength, group, storage } = tensor;
    const view = storage && JSON.stringify([storage, dtype, shape]);
    const first = view === undefined ? undefined : firstByView.get(view);
    if (view !== undefined && first === undefined) firstByView.set(view, path);
    const note = first !== undefined ? `tied to ${first}` : storage || byteLength === 0 ? "" : "no bytes in the file";
    return {
      cells: [printable(path) || '""', printable(dtype), `[${shape.join(", ")}]`, formatSize(byteLength), group, printable(note)],
    };
  });
  screen.write(`\n${colors.bold(title)}\n`);
  screen.write(
    tableText(
      [
        { title: "path", elastic: true },
        { title: "dtype", style: colors.cyan },
        { title: "shape" },
        { title: "size", align: "right" },
        { title: "group", expendable: 1, style: colors.dim },
        { title: "note", expendable: 2, style: colors.dim },
      ],
      rows,
      screen,
      2,
    ),
  );
}
