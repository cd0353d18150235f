import { type ByteSource, type Finding, type OpenOptions, type Reading, withLimits } from "@ckptkit/core";
import { canOpenBeside, openBeside } from "../open-beside.js";
import type { GgufHeader } from "./header.js";

/** @see https://github.com/ggml-org/llama.cpp/blob/master/src/llama.cpp llama_split_path */
const PART_NAME = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/;

/** The parts of a model that is split into several files, besides the first. */
export interface GgufParts {
  /** In their order, those that are there. */
  readonly sources: readonly ByteSource[];
  readonly findings: readonly Finding[];
  close(): Promise<void>;
}

const NONE: GgufParts = { sources: [], findings: [], close: async () => undefined };

/** Opens the other parts of a model beside its first one, by their names. A part that is not the first stays alone. */
export function* openParts(source: ByteSource, { metadata }: GgufHeader, options: OpenOptions): Reading<GgufParts> {
  const count = numberOf(metadata.get("split.count"));
  const [, stem = "", number, total = ""] = PART_NAME.exec(source.name.replace(/[?#].*$/, "").replace(/^.*[\\/]/, "")) ?? [];
  if (count === undefined || count < 2 || Number(number) !== 1 || Number(total) !== count || !canOpenBeside(options)) return NONE;
  const names = Array.from({ length: count - 1 }, (_, index) => `${stem}-${String(index + 2).padStart(5, "0")}-of-${total}.gguf`);
  const { files, missing, close } = yield* openBeside(names, source.name, withLimits(options.limits), options);
  // Where none of them is there, the file says of itself that it is a part.
  if (files.size === 0) return NONE;
  const findings = missing.map(
    (name): Finding => ({ rule: "gguf-missing-part", severity: "error", message: `A part of the model is not there: ${name}.`, at: name }),
  );
  return { sources: names.flatMap((name) => files.get(name) ?? []), findings, close };
}

function numberOf(value: { readonly type: string; readonly value?: unknown } | undefined): number | undefined {
  const number = typeof value?.value === "bigint" ? Number(value.value) : value?.value;
  return typeof number === "number" && Number.isSafeInteger(number) ? number : undefined;
}
