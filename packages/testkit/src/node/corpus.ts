import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { inRepository } from "./root.js";

/** A tensor as the corpus tells it. dtypes are the reference reader's names: `float32`, `<f4`, `F32` ... */
export interface CorpusTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly sha256: string | null;
  readonly nan?: number;
  readonly inf?: number;
  readonly stride?: readonly number[];
  readonly off?: number;
  /** Tensors with the same number share one storage. */
  readonly st?: number;
}

/** A real checkpoint and its truth. */
export interface CorpusEntry {
  readonly repo: string;
  /** Absolute path on this machine. */
  readonly path: string;
  /** Path within the corpus. */
  readonly file: string;
  readonly size: number;
  readonly sha256: string;
  readonly format: string;
  readonly variety_tags: readonly string[];
  readonly truth: {
    readonly tensors: readonly CorpusTensor[];
    /** Arrays inside the pickle. */
    readonly ndarrays?: readonly { readonly name: string }[];
    /** What the reference reader objected to: the file must give a coded error or a finding. */
    readonly error?: string;
    readonly invalid?: unknown;
  };
}

let entries: readonly CorpusEntry[] | undefined;

/**
 * Real checkpoints of public projects, kept in `shared/corpus` beside the repository where someone has put them; undefined
 * elsewhere. They are not part of the project, so a suite must pass without them.
 *
 * @example describe.skipIf(!corpus())("real checkpoints", () => { it.each(corpus("safetensors") ?? [])("reads $file", ...); });
 */
export function corpus(...formats: readonly string[]): readonly CorpusEntry[] | undefined {
  const folder = inRepository("../shared/corpus");
  const manifest = join(folder, "manifest.json");
  if (!existsSync(manifest)) return undefined;
  // Whoever gathered the corpus wrote it in this shape; the path is added here.
  entries ??= (JSON.parse(readFileSync(manifest, "utf8")) as CorpusEntry[]).map((entry) => ({ ...entry, path: join(folder, entry.file) }));
  return formats.length === 0 ? entries : entries.filter((entry) => formats.includes(entry.format));
}
