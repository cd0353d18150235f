import { type Checkpoint, CheckpointConfigError, formatSize, similarNames, type TensorHandle } from "@ckptkit/core";
import {
  describeCheckpoint,
  exactNumber,
  histogram,
  readSlice,
  readTensorValues,
  type SliceReduce,
  type TensorHistogram,
  type TensorSlice,
  type TensorValues,
} from "@ckptkit/inspect";
import { nodePlatform } from "@ckptkit/node";
import type { CommandContext, CommonFlags } from "../command-context.js";
import { open } from "../open.js";
import { EXIT } from "../output/errors.js";
import { writeHeatMap } from "../output/heat-map.js";
import { writeHistogram } from "../output/histogram.js";
import { writeJson } from "../output/json.js";
import { valueText } from "../output/number-text.js";
import { printable } from "../output/printable.js";
import { showProgress } from "../output/progress.js";
import type { Screen } from "../output/screen.js";
import { countText, plural } from "../output/sizes.js";
import { pairsText } from "../output/table.js";
import { parseSlice } from "../slice-spec.js";

/** What `ckpt tensor` takes. */
export interface TensorFlags extends CommonFlags {
  values?: number;
  start?: number;
  histogram?: boolean;
  bins?: number;
  sample?: number;
  slice?: string;
  reduce?: SliceReduce;
}

/** Values that are shown when nothing else is asked for. */
const USUAL_VALUES = 8;
const USUAL_BINS = 20;
const MAP_ROWS = 32;
const MAP_COLUMNS = 96;

/** Shows one tensor: what it is, values, their distribution, a plane of it. Reads the bytes that this needs and no others. */
export async function tensor(uri: string, path: string, flags: TensorFlags, context: CommandContext): Promise<number> {
  const { out, err, signal } = context;
  const { checkpoint, counts } = await open(uri, context);
  try {
    const found = findTensor(checkpoint, path);
    const plane = flags.slice === undefined ? undefined : parseSlice(flags.slice, found.shape);
    const isPlain = !flags.histogram && !plane;
    const count = flags.values ?? (isPlain && found.storage ? USUAL_VALUES : 0);
    const progress = showProgress(err);
    const options = { signal, onProgress: progress.onProgress };
    const [width, height] = flags.json ? [256, 256] : [Math.min(MAP_COLUMNS, out.width - 6), MAP_ROWS];
    try {
      const values = count > 0 ? await readTensorValues(found, { start: flags.start, count, signal }) : undefined;
      const distribution = flags.histogram
        ? await histogram(found, {
            ...options,
            bins: flags.bins ?? USUAL_BINS,
            sampleBytes: flags.sample,
            kernels: await nodePlatform().kernels(),
          })
        : undefined;
      const slice =
        plane && (await readSlice(found, { ...plane, signal, maxRows: height, maxColumns: width, reduce: flags.reduce ?? "max-abs" }));
      progress.stop();
      const [description] = describeCheckpoint({ ...checkpoint, tensors: [found] }).tensors;
      if (flags.json) {
        writeJson(out, {
          uri: checkpoint.uri,
          tensor: description,
          values,
          histogram: distribution,
          slice: slice && sliceJson(slice),
          io: counts(),
        });
      } else writeAll(checkpoint, found, { values, distribution, slice }, out);
    } finally {
      progress.stop();
    }
    return EXIT.good;
  } finally {
    await checkpoint.close();
  }
}

/**
 * The tensor of a path, or else of a name.
 *
 * @throws {CheckpointConfigError} UNKNOWN_TENSOR
 */
function findTensor({ tensors, uri }: Checkpoint, path: string): TensorHandle {
  const found = tensors.find((each) => each.path === path) ?? tensors.find((each) => each.name === path);
  if (found) return found;
  const similar = similarNames(
    path,
    tensors.flatMap((each) => (each.path === each.name ? [each.name] : [each.name, each.path])),
  );
  throw new CheckpointConfigError(
    "UNKNOWN_TENSOR",
    `${uri} has no tensor ${JSON.stringify(path)} among its ${plural(tensors.length, "tensor")}.`,
    {
      details: { path, tensors: tensors.length },
      suggestions: [...similar.map((name) => `Did you mean ${name}?`), "List all paths with: ckpt inspect"],
    },
  );
}

/** Rows of numbers, exact: a Float32Array has no JSON, and NaN none either. */
function sliceJson({ values, rows, columns, ...rest }: TensorSlice) {
  const numbers = Array.from({ length: rows }, (_, row) => Array.from(values.subarray(row * columns, (row + 1) * columns), exactNumber));
  return { ...rest, rows, columns, values: numbers };
}

interface Parts {
  values: TensorValues | undefined;
  distribution: TensorHistogram | undefined;
  slice: TensorSlice | undefined;
}

function writeAll(checkpoint: Checkpoint, tensor: TensorHandle, { values, distribution, slice }: Parts, out: Screen): void {
  const { path, name, group, dtype, shape, elementCount, byteLength, storage, contiguous, spec } = tensor;
  const { bold } = out.colors;
  const { quantization } = spec;
  out.write(`${bold(printable(path) || '""')}\n`);
  const pairs: [string, string][] = [
    ["in", printable(checkpoint.uri)],
    ...(name === path ? [] : [["name", printable(name)] as [string, string]]), // a tuple, which TypeScript takes for a list
    ["group", group],
    ["dtype", printable(dtype)],
    ["shape", `[${shape.join(", ")}]`],
    ["elements", `${countText(elementCount)}, ${formatSize(byteLength)}`],
    [
      "storage",
      storage
        ? `${printable(storage.id)}, ${formatSize(storage.byteLength)}${contiguous ? "" : `, strides [${tensor.strides.join(", ")}]`}`
        : "no bytes in the file",
    ],
    ...(quantization ? [["quantised", quantization.scheme] as [string, string]] : []),
  ];
  out.write(pairsText(pairs, out, 2));
  if (values && values.values.length > 0) {
    const more = values.start + values.values.length < values.count ? ", ..." : "";
    const from = values.start > 0 ? ` from ${countText(values.start)}` : "";
    out.write(`\n${bold("values")}${from}\n  ${values.values.map((value) => valueText(value, dtype)).join(", ")}${more}\n`);
  }
  if (distribution) writeHistogram(distribution, out);
  if (slice) writeHeatMap(slice, out);
}
