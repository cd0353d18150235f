import { type Bytes, CheckpointValidationError, type SignalOptions, type TensorData } from "@ckptkit/core";
import { checkTensorRange } from "./tensor-range.js";
import { itemBytesOf } from "./views.js";

/** Bytes of each tensor that are held at a time, where its runs are short. */
const WINDOW_BYTES = 1024 * 1024;

/**
 * Tensors joined along an axis, read from where they are when the result is read.
 *
 * @throws {CheckpointValidationError} INCOMPATIBLE when their dtypes or other sizes differ; UNSUPPORTED_DTYPE for elements that
 * are not whole bytes
 * @example const qkv = concatTensors([query, key, value], 0);
 */
export function concatTensors(parts: readonly TensorData[], axis: number): TensorData {
  const first = checkParts(parts, axis);
  const { dtype } = first;
  const shape = first.shape.map((size, at) => (at === axis ? parts.reduce((sum, part) => sum + (part.shape[at] ?? 0), 0) : size));
  const outer = first.shape.slice(0, axis).reduce((product, size) => product * size, 1);
  let offset = 0;
  const columns = parts.map((tensor): Column => {
    const bytes = outer === 0 ? 0 : tensor.byteLength / outer;
    offset += bytes;
    return { tensor, begin: offset - bytes, bytes };
  });
  const rowBytes = offset;
  const result: TensorData = {
    dtype,
    shape,
    byteLength: rowBytes * outer,
    async readInto(target, start = 0, options) {
      options?.signal?.throwIfAborted();
      checkTensorRange(result, target, start);
      if (target.length === 0) return;
      for (const column of columns) if (column.bytes > 0) await fillColumn(column, rowBytes, target, start, options);
    },
  };
  return result;
}

/** One of the tensors: in every row of the result it has `bytes` from `begin` on. */
interface Column {
  tensor: TensorData;
  begin: number;
  bytes: number;
}

/** Copies a tensor's runs to their places in the target, which holds the result's bytes from `start` on. */
async function fillColumn({ tensor, begin, bytes }: Column, rowBytes: number, target: Bytes, start: number, options?: SignalOptions) {
  const end = start + target.length;
  const lastRow = Math.floor((end - 1) / rowBytes);
  const windowRows = Math.max(1, Math.floor(WINDOW_BYTES / bytes));
  for (let row = Math.floor(start / rowBytes); row <= lastRow; row += windowRows) {
    const rows = Math.min(windowRows, lastRow + 1 - row);
    // The first and the last run may lie partly, or wholly, outside of what is asked for.
    const low = Math.max(0, start - (row * rowBytes + begin));
    const from = row * bytes + Math.min(low, bytes);
    const over = (row + rows - 1) * rowBytes + begin + bytes - end;
    const to = (row + rows) * bytes - Math.min(bytes, Math.max(0, over));
    if (to <= from) continue;
    if (rows === 1) {
      const at = row * rowBytes + begin + (from - row * bytes) - start;
      await tensor.readInto(target.subarray(at, at + to - from), from, options);
      continue;
    }
    const window = new Uint8Array(to - from);
    await tensor.readInto(window, from, options);
    for (let position = from; position < to; ) {
      const run = Math.floor(position / bytes);
      const stop = Math.min(to, (run + 1) * bytes);
      target.set(window.subarray(position - from, stop - from), run * rowBytes + begin + (position - run * bytes) - start);
      position = stop;
    }
  }
}

function checkParts(parts: readonly TensorData[], axis: number): TensorData {
  const first = parts[0];
  const describe = ({ dtype, shape }: TensorData): string => `${dtype} [${shape.join(", ")}]`;
  const fits = (part: TensorData): boolean =>
    part.dtype === first?.dtype &&
    part.shape.length === first.shape.length &&
    part.shape.every((size, at) => at === axis || size === first.shape[at]);
  if (!first || axis >= first.shape.length || !parts.every(fits)) {
    throw new CheckpointValidationError(
      "INCOMPATIBLE",
      `Tensors cannot be joined along axis ${axis}: ${parts.map(describe).join(", ") || "there are none"}. Their dtypes and other sizes must be the same.`,
      { details: { axis, tensors: parts.map(({ dtype, shape }) => ({ dtype, shape })) } },
    );
  }
  if (Number.isInteger(itemBytesOf(first.dtype))) return first;
  throw new CheckpointValidationError("UNSUPPORTED_DTYPE", `Tensors of ${first.dtype} elements cannot be joined.`, {
    details: { dtype: first.dtype },
  });
}
