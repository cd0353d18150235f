import { CheckpointError, type TensorHandle } from "@ckptkit/core";
import {
  findNonFinite,
  hashTensors,
  histogram,
  type NonFinitePlace,
  readSlice,
  readTensorValues,
  type ScanRow,
  type SliceOptions,
  scanCheckpoint,
  type TensorHistogram,
  type TensorSlice,
  type TensorValues,
} from "@ckptkit/inspect";
import * as Comlink from "comlink";
import { useMachinery } from "./kernels.js";
import type { Session, SessionId, Sessions } from "./sessions.js";
import type { TaskId, Tasks } from "./tasks.js";

/** What a checkpoint's description tells of one tensor. */
export interface TensorFacts {
  readonly path: string;
  readonly name: string;
  readonly group: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly elementCount: number;
  readonly byteLength: number;
  readonly contiguous: boolean;
  /** Undefined for a tensor without bytes. */
  readonly storage:
    | { readonly id: string; readonly byteLength: number; readonly byteOffset: number; readonly fileOffset?: number | undefined }
    | undefined;
  readonly quantization: string | undefined;
  readonly requiresGrad: boolean | undefined;
  /** Other tensors of the same bytes. */
  readonly ties: readonly string[];
  /** Neighbours in the order of the file. */
  readonly before: string | undefined;
  readonly after: string | undefined;
  /** What a scan found, where there was one. */
  readonly mark: { readonly nan: number; readonly inf: number } | undefined;
}

const TIES_SHOWN = 20;
/** Places of NaNs and infinities that are told. */
const PLACES = 200;

/** The area behind the view of one tensor. Everything is read by range. */
export function createTensor(sessions: Sessions, tasks: Tasks) {
  const find = (id: SessionId, path: string): { session: Session; tensor: TensorHandle; place: number } => {
    const session = sessions.get(id);
    const { paths } = session.columns;
    const place = paths.indexOf(path);
    const tensor = session.checkpoint.tensors[place];
    if (tensor) return { session, tensor, place };
    throw new CheckpointError("UNKNOWN_TENSOR", `The checkpoint has no tensor "${path}".`, {
      details: { path },
      suggestions: ["Look for it in the list of tensors."],
    });
  };

  return {
    /** What the description tells. @throws {CheckpointError} UNKNOWN_TENSOR */
    facts: async (id: SessionId, path: string): Promise<TensorFacts> => {
      const { session, tensor, place } = find(id, path);
      const { storage, spec } = tensor;
      return {
        path,
        name: tensor.name,
        group: tensor.group,
        dtype: tensor.dtype,
        shape: tensor.shape,
        strides: tensor.strides,
        elementCount: tensor.elementCount,
        byteLength: tensor.byteLength,
        contiguous: tensor.contiguous,
        storage: storage && { id: storage.id, byteLength: storage.byteLength, byteOffset: spec.byteOffset, fileOffset: storage.fileOffset },
        quantization: spec.quantization?.scheme,
        requiresGrad: spec.requiresGrad,
        ties: tiesOf(session, tensor),
        before: session.columns.paths[place - 1],
        after: session.columns.paths[place + 1],
        mark: session.marks.get(place),
      };
    },

    /** A plane for a heat map. Its numbers are handed over, not copied. */
    slice: (task: TaskId, id: SessionId, path: string, options: Omit<SliceOptions, "signal">): Promise<TensorSlice> =>
      tasks.run(task, async ({ signal }) => {
        const slice = await readSlice(find(id, path).tensor, { ...options, signal });
        return Comlink.transfer(slice, [slice.values.buffer]);
      }),

    /** Elements from a place on, exact. */
    values: (task: TaskId, id: SessionId, path: string, start: number, count: number): Promise<TensorValues> =>
      tasks.run(task, ({ signal }) => readTensorValues(find(id, path).tensor, { start, count, signal })),

    /** How the numbers are distributed; of a large tensor a sample when `sampleBytes` is given. */
    histogram: (task: TaskId, id: SessionId, path: string, sampleBytes?: number): Promise<TensorHistogram> =>
      tasks.run(task, async ({ signal, onProgress }) => {
        const { kernels } = await useMachinery();
        return histogram(find(id, path).tensor, { bins: 80, sampleBytes, kernels, signal, onProgress });
      }),

    /** Statistics over all of it. */
    statistics: (task: TaskId, id: SessionId, path: string): Promise<ScanRow> =>
      tasks.run(task, async (options) => {
        const { session, tensor, place } = find(id, path);
        const { kernels, pool } = await useMachinery();
        const report = await scanCheckpoint(session.checkpoint, { ...options, kernels, pool, select: (other) => other === tensor });
        const [row] = report.tensors;
        if (!row) throw new CheckpointError("UNSUPPORTED_DTYPE", `"${path}" cannot be scanned: ${report.skipped[0]?.reason}.`);
        session.marks.set(place, { nan: row.nan, inf: row.posInf + row.negInf });
        return row;
      }),

    /** The digest of its bytes. */
    digest: (task: TaskId, id: SessionId, path: string): Promise<string> =>
      tasks.run(task, async (options) => {
        const { session, tensor } = find(id, path);
        const { kernels, pool } = await useMachinery();
        const select = (other: TensorHandle): boolean => other === tensor;
        const { tensors } = await hashTensors(session.checkpoint, { ...options, kernels, pool, algorithm: "sha256", select });
        return tensors[0]?.digest ?? "";
      }),

    /** Where NaNs and infinities stand; the first 200. */
    places: (task: TaskId, id: SessionId, path: string, from = 0): Promise<NonFinitePlace[]> =>
      tasks.run(task, async ({ signal }) => {
        const { kernels } = await useMachinery();
        return findNonFinite(find(id, path).tensor, { kernels, limit: PLACES, from, signal });
      }),
  };
}

function tiesOf({ checkpoint, columns }: Session, { spec }: TensorHandle): string[] {
  const ties: string[] = [];
  for (const [index, other] of checkpoint.tensors.entries()) {
    if (other.spec.storage !== spec.storage || !spec.storage || other.spec.byteOffset !== spec.byteOffset || other.spec === spec) continue;
    if (String(other.shape) !== String(spec.shape) || other.dtype !== spec.dtype) continue;
    ties.push(columns.path(index));
    if (ties.length === TIES_SHOWN) break;
  }
  return ties;
}
