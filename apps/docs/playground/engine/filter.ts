import { CheckpointConfigError } from "@ckptkit/core";
import { globMatcher } from "@ckptkit/inspect";
import { GROUPS, type TensorColumns } from "./columns.js";

/** Decides about a tensor, by its place in the checkpoint. */
export type TensorFilter = (tensor: number) => boolean;

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  ki: 2 ** 10,
  mi: 2 ** 20,
  gi: 2 ** 30,
  ti: 2 ** 40,
};

/**
 * Makes a filter of one line of text, whose words must all hold:
 *
 * - `attn`: the path has it somewhere, in whatever case; `attn.*.weight`: the path, or its end from some dot on, matches the glob; a word with `-`
 *   before it must not hold
 * - `dtype:F32,BF16`, `group:model`, `in:model.blocks.0` (a module and what is in it)
 * - `size:>1MB`, `size:<=4KiB` (bytes), `params:>1e6`, `rank:2`
 *
 * @returns undefined for a text without words: everything is chosen
 * @throws {CheckpointConfigError} INVALID_ARGUMENT for a word that means nothing
 * @example const isLarge = parseFilter("*.weight size:>1MB", columns);
 */
export function parseFilter(text: string, columns: TensorColumns): TensorFilter | undefined {
  const words = text.split(/\s+/).filter((word) => word !== "" && word !== "-");
  const filters = words.map((word) => (word.startsWith("-") ? not(parseWord(word.slice(1), columns)) : parseWord(word, columns)));
  if (filters.length === 0) return undefined;
  return (tensor) => filters.every((filter) => filter(tensor));
}

const not =
  (filter: TensorFilter): TensorFilter =>
  (tensor) =>
    !filter(tensor);

function parseWord(word: string, columns: TensorColumns): TensorFilter {
  const [, key, value = ""] = /^(dtype|group|in|size|params|rank):(.*)$/i.exec(word) ?? [];
  switch (key?.toLowerCase()) {
    case "dtype":
      return oneOf(value, columns.dtypes, columns.dtypeOf);
    case "group":
      return oneOf(value, GROUPS, columns.groupOf);
    case "in": {
      const prefix = `${value.replace(/\.$/, "")}.`;
      return (tensor) => columns.path(tensor).startsWith(prefix) || (columns.tensors[tensor]?.name.startsWith(prefix) ?? false);
    }
    case "size":
      return compares(word, value, columns.bytes);
    case "params":
      return compares(word, value, columns.params);
    case "rank":
      return compares(word, value, { at: (tensor) => columns.tensors[tensor]?.shape.length });
    default:
      return pathFilter(word, columns);
  }
}

function pathFilter(word: string, columns: TensorColumns): TensorFilter {
  if (/[*?[\]{}]/.test(word)) {
    const matches = [globMatcher(word), globMatcher(`*.${word}`)];
    return (tensor) => matches.some((match) => match(columns.path(tensor)));
  }
  const wanted = word.toLowerCase();
  return (tensor) => columns.path(tensor).toLowerCase().includes(wanted);
}

function oneOf(value: string, names: readonly string[], of: ArrayLike<number>): TensorFilter {
  const wanted = new Set(value.toLowerCase().split(",").filter(Boolean));
  const allowed = names.map((name) => wanted.has(name.toLowerCase()));
  return (tensor) => allowed[of[tensor] ?? 0] ?? false;
}

function compares(word: string, value: string, numbers: { at(index: number): number | undefined }): TensorFilter {
  const [, sign = "", digits = "", unit = ""] = /^(<=|>=|<|>|=)?(\d+(?:\.\d+)?(?:e\d+)?)([kmgt]?i?)b?$/i.exec(value) ?? [];
  const factor = UNITS[unit.toLowerCase()];
  if (digits === "" || factor === undefined) {
    throw new CheckpointConfigError("INVALID_ARGUMENT", `"${word}" is not a comparison with a number.`, {
      suggestions: ["Write it as size:>1MB, size:<=4KiB, params:>1e6 or rank:2."],
    });
  }
  const limit = Number(digits) * factor;
  const holds: Record<string, (number: number) => boolean> = {
    "": (number) => number === limit,
    "=": (number) => number === limit,
    "<": (number) => number < limit,
    "<=": (number) => number <= limit,
    ">": (number) => number > limit,
    ">=": (number) => number >= limit,
  };
  return (tensor) => holds[sign]?.(numbers.at(tensor) ?? Number.NaN) ?? false;
}
