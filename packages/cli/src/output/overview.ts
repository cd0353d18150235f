import type { TensorGroup, TensorHandle } from "@ckptkit/core";
import { formatSize } from "@ckptkit/core";
import type { Opened } from "../open.js";
import { printable } from "./printable.js";
import type { Screen } from "./screen.js";
import { countText } from "./sizes.js";
import { pairsText, tableText } from "./table.js";

const GROUPS: readonly TensorGroup[] = ["model", "optimizer", "other"];

/** The head of `ckpt inspect`: what the file is, how large, and what the tensors need, by group and dtype. */
export function writeOverview({ checkpoint, sources, counts }: Opened, screen: Screen): void {
  const { reads, bytesRead } = counts();
  const sums = sumByGroup(checkpoint.tensors);
  const files = sources.length > 1 ? ` in ${countText(sources.length)} files` : "";
  screen.write(`${screen.colors.bold(printable(checkpoint.uri))}\n`);
  const head: [string, string][] = [
    ["format", printable(checkpoint.format)],
    ["layout", checkpoint.layout],
    [
      "size",
      `${formatSize(checkpoint.byteLength)}${checkpoint.byteLength >= 1024 ? ` (${countText(checkpoint.byteLength)} bytes)` : ""}${files}`,
    ],
    ["tensors", `${countText(checkpoint.tensors.length)}${groupsText(checkpoint.tensors)}`],
    ["read", `${formatSize(bytesRead)} in ${countText(reads)} ${reads === 1 ? "read" : "reads"}`],
  ];
  screen.write(pairsText(head, screen, 2));
  if (sums.length === 0) return;
  screen.write("\n");
  const rows = sums.map(({ group, dtype, tensors, elements, bytes }) => ({
    cells: [group, printable(dtype), countText(tensors), countText(elements), formatSize(bytes)],
  }));
  screen.write(
    tableText(
      [
        { title: "group" },
        { title: "dtype" },
        { title: "tensors", align: "right" },
        { title: "parameters", align: "right" },
        { title: "memory", align: "right" },
      ],
      rows,
      screen,
      2,
    ),
  );
}

interface Sum {
  group: TensorGroup;
  dtype: string;
  tensors: number;
  elements: number;
  bytes: number;
}

/** Tied tensors count as tensors each time, and once in parameters and memory. */
function sumByGroup(tensors: readonly TensorHandle[]): Sum[] {
  const sums = new Map<string, Sum>();
  const seen = new Set<string>();
  for (const tensor of tensors) {
    const { group, dtype } = tensor;
    const key = `${group} ${dtype}`;
    const sum = sums.get(key) ?? { group, dtype, tensors: 0, elements: 0, bytes: 0 };
    sums.set(key, sum);
    sum.tensors++;
    const view = viewKey(tensor);
    if (view !== undefined && seen.has(view)) continue;
    if (view !== undefined) seen.add(view);
    sum.elements += tensor.elementCount;
    sum.bytes += tensor.byteLength;
  }
  return [...sums.values()].sort((a, b) => GROUPS.indexOf(a.group) - GROUPS.indexOf(b.group) || b.bytes - a.bytes);
}

/** Equal for views of the same bytes in the same way; undefined for tensors without bytes. */
function viewKey({ storage, spec, dtype, shape, strides }: TensorHandle): string | undefined {
  return storage && JSON.stringify([storage.id, spec.byteOffset, dtype, shape, strides]);
}

function groupsText(tensors: readonly TensorHandle[]): string {
  const counts = GROUPS.map((group) => ({ group, count: tensors.filter((tensor) => tensor.group === group).length }));
  const present = counts.filter(({ count }) => count > 0);
  if (present.length === 1) return ` (${present[0]?.group})`;
  return present.length === 0 ? "" : ` (${present.map(({ group, count }) => `${countText(count)} ${group}`).join(", ")})`;
}
