import type { Json } from "@ckptkit/core";
import { printable } from "./printable.js";
import type { Screen } from "./screen.js";
import { plural } from "./sizes.js";
import { pairsText } from "./table.js";
import { cutEnd } from "./width.js";

type JsonObject = { readonly [key: string]: Json };

/** Most asked for first; what else stands at the top follows in its own order. */
const FIRST = ["epoch", "global_step", "step", "iteration"];
/** Where training code keeps what a run was started with, and what an ONNX model is made for. */
const SHOWN_GROUPS = new Set([
  ...["hyper_parameters", "hparams", "hyperparameters", "datamodule_hyper_parameters", "config", "args"],
  ...["opset_import", "inputs", "outputs"],
]);
/** Scalars shown of one group, so that the tensors stay in sight. */
const ROWS_SHOWN = 40;
const VALUE_COLUMNS = 100;

/** The metadata that people look for: scalars at the top, and hyper-parameters or inputs and outputs as a flat list. The rest is counted. */
export function metadataText(metadata: JsonObject, screen: Screen, indent: number): string {
  const top: [string, string][] = [];
  const groups: [string, string][] = [];
  let hidden = 0;
  for (const [key, value] of Object.entries(metadata)) {
    if (isScalar(value)) top.push([key, scalarText(value)]);
    else if (SHOWN_GROUPS.has(key)) for (const [name, entry] of flatten(value, key)) groups.push([name, scalarText(entry)]);
    else hidden += countScalars(value);
  }
  const rank = ([key]: [string, string]): number => (FIRST.indexOf(key) + FIRST.length + 1) % (FIRST.length + 1);
  top.sort((a, b) => rank(a) - rank(b));
  const rows = [...top.slice(0, ROWS_SHOWN), ...groups.slice(0, ROWS_SHOWN)];
  hidden += top.length + groups.length - rows.length;
  const shown = rows.map(([name, value]): [string, string] => [cutEnd(printable(name), 48), value]);
  const room = Math.min(VALUE_COLUMNS, screen.width - indent - Math.max(0, ...shown.map(([name]) => name.length)) - 2);
  const text = pairsText(
    shown.map(([name, value]) => [name, cutEnd(value, Math.max(16, room))]),
    screen,
    indent,
  );
  if (hidden === 0) return text;
  return `${text}${" ".repeat(indent)}${screen.colors.dim(`... and ${plural(hidden, "other value")}: --tree shows all`)}\n`;
}

/** Every value, as a flat list. */
export function allMetadataText(metadata: JsonObject, screen: Screen, indent: number): string {
  const rows = Object.entries(metadata).flatMap(([key, value]) => [...flatten(value, key)]);
  return pairsText(
    rows.map(([name, value]) => [printable(name), scalarText(value)]),
    screen,
    indent,
  );
}

const isScalar = (value: Json): value is null | boolean | number | string => typeof value !== "object" || value === null;

/** Lists of scalars are one value; other lists and maps go on. */
function* flatten(value: Json, path: string): Generator<[string, Json]> {
  if (isScalar(value) || (Array.isArray(value) && value.every(isScalar))) yield [path, value];
  else for (const [key, entry] of Object.entries(value)) if (key !== "$type") yield* flatten(entry, `${path}.${key}`);
}

function countScalars(value: Json): number {
  if (isScalar(value)) return 1;
  let count = 0;
  for (const entry of Object.values(value)) count += countScalars(entry);
  return count;
}

function scalarText(value: Json): string {
  if (typeof value === "string") return printable(value);
  return printable(JSON.stringify(value).replace(/,(?! )/g, ", "));
}
