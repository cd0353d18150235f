import { downloadSink, type SaveTarget, saveSink } from "@ckptkit/browser";
import type { ByteSink, CastDType } from "@ckptkit/core";
import { CONVERT_TARGETS, type ConvertReport, type ConvertTarget, convertCheckpoint, globFilter } from "@ckptkit/inspect";
import { useMachinery } from "./kernels.js";
import type { Session, SessionId, Sessions } from "./sessions.js";
import type { TaskId, Tasks } from "./tasks.js";

/** What a person chose. */
export interface ConvertWish {
  readonly to: ConvertTarget;
  readonly fileName: string;
  /** `Q8_0` is a type of GGUF: its matrices are quantised. */
  readonly dtype?: CastDType | "Q8_0" | undefined;
  readonly all: boolean;
  /** Only tensors that match this glob; all when empty. */
  readonly only: string;
  /** Leaves out tensors in which a scan has found NaN or infinities. */
  readonly finiteOnly: boolean;
  readonly maxShardBytes?: number | undefined;
}

/** What was written. */
export interface Converted {
  readonly files: ConvertReport["files"];
  readonly tensorCount: number;
  readonly ties: readonly (readonly [dropped: string, kept: string])[];
  readonly findings: ConvertReport["findings"];
  /** The files themselves, their bytes on disk, where they are for the page to save; empty where they were written to a place of the person's. */
  readonly downloads: readonly File[];
  readonly ms: number;
}

const TIES_SHOWN = 100;

/** The area that writes checkpoints in other formats, streaming. */
export function createConvert(sessions: Sessions, tasks: Tasks) {
  return {
    targets: async (): Promise<readonly ConvertTarget[]> => CONVERT_TARGETS,

    /**
     * Converts. The first file goes to `target`; shards, which nobody can choose places for beforehand, are downloads.
     *
     * @throws what `convertCheckpoint` throws; nothing is left then
     */
    run: (task: TaskId, id: SessionId, wish: ConvertWish, target: SaveTarget): Promise<Converted> =>
      tasks.run(task, async (options) => {
        const session = sessions.get(id);
        const { kernels } = await useMachinery();
        const started = performance.now();
        const downloads: File[] = [];
        const create = (name: string): Promise<ByteSink> =>
          name === wish.fileName
            ? saveSink(target, (file) => downloads.push(file))
            : downloadSink(name, { onFile: (file) => downloads.push(file) });
        const { to, fileName, dtype, all, maxShardBytes } = wish;
        const report = await convertCheckpoint(session.checkpoint, create, {
          ...options,
          kernels,
          to,
          fileName,
          ...(dtype === "Q8_0" ? { quantize: dtype } : { dtype }),
          all,
          maxShardBytes,
          select: selectOf(session, wish),
        });
        return {
          files: report.files,
          tensorCount: report.tensorCount,
          ties: [...report.ties].slice(0, TIES_SHOWN),
          findings: report.findings,
          downloads,
          ms: performance.now() - started,
        };
      }),
  };
}

function selectOf({ checkpoint, marks }: Session, { only, finiteOnly }: ConvertWish) {
  const matches = only === "" ? undefined : globFilter(only);
  if (!finiteOnly) return matches;
  const bad = new Set([...marks].filter(([, { nan, inf }]) => nan + inf > 0).map(([place]) => checkpoint.tensors[place]));
  return (tensor: (typeof checkpoint.tensors)[number]): boolean => !bad.has(tensor) && (matches?.(tensor) ?? true);
}
