import { CheckpointIncompatibleError, CheckpointValidationError, type TensorData } from "@ckptkit/core";
import { globMatcher } from "@ckptkit/inspect";
import { concatTensors } from "../tensors/concat.js";
import { permuteTensor, sliceTensor } from "../tensors/views.js";
import type { Migration } from "./schema.js";

/** Tensors by their names, in order. */
export type StateValues = ReadonlyMap<string, TensorData>;

/** What became of one migration. */
export interface MigrationReport {
  /** `rename`, `split` ... */
  type: string;
  /** Tensors that it changed. */
  matched: number;
}

/**
 * Applies migrations one after another. Names change at once; tensors that are split, joined or transposed are so when they are
 * read.
 *
 * @throws {CheckpointValidationError} NAME_CONFLICT when two tensors get one name
 * @throws {CheckpointIncompatibleError} MIGRATION_FAILED when tensors are not as a migration expects them
 * @example migrate(values, [{ stripPrefix: "model" }, { rename: { "fc.weight": "head.weight" } }]);
 */
export function migrate(values: StateValues, migrations: readonly Migration[]): { values: StateValues; reports: MigrationReport[] } {
  const reports: MigrationReport[] = [];
  let current = values;
  for (const migration of migrations) {
    const type = Object.keys(migration)[0] ?? "";
    const changed = "merge" in migration ? merge(current, migration) : each(current, type, stepOf(migration));
    current = changed.values;
    reports.push({ type, matched: changed.matched });
  }
  return { values: current, reports };
}

/** What becomes of one tensor: others in its place, or undefined when it is left as it is. */
type Step = (name: string, tensor: TensorData) => readonly (readonly [string, TensorData])[] | undefined;

function stepOf(migration: Exclude<Migration, { merge: unknown }>): Step {
  if ("rename" in migration) return renamer(migration.rename);
  if ("stripPrefix" in migration) {
    const prefix = asPrefix(migration.stripPrefix);
    return (name, tensor) => (name.startsWith(prefix) ? [[name.slice(prefix.length), tensor]] : undefined);
  }
  if ("addPrefix" in migration) return (name, tensor) => [[asPrefix(migration.addPrefix) + name, tensor]];
  if ("regex" in migration) {
    const expression = new RegExp(migration.regex, "gu");
    return (name, tensor) => {
      const renamed = name.replace(expression, migration.replace);
      return renamed === name ? undefined : [[renamed, tensor]];
    };
  }
  if ("split" in migration) return splitter(migration);
  if ("transpose" in migration) return transposer(migration);
  const dropped = globMatcher(migration.drop);
  return (name) => (dropped(name) ? [] : undefined);
}

function each(values: StateValues, type: string, step: Step): { values: StateValues; matched: number } {
  const result = new Map<string, TensorData>();
  let matched = 0;
  for (const [name, tensor] of values) {
    const changed = step(name, tensor);
    if (changed) matched++;
    for (const [newName, value] of changed ?? [[name, tensor] as const]) put(result, newName, value, type);
  }
  return { values: result, matched };
}

function put(result: Map<string, TensorData>, name: string, tensor: TensorData, type: string): void {
  if (result.has(name)) {
    throw new CheckpointValidationError("NAME_CONFLICT", `The migration ${type} gives two tensors the name ${JSON.stringify(name)}.`, {
      details: { name, migration: type },
      suggestions: ["Drop one of them before, with a migration: drop."],
    });
  }
  result.set(name, tensor);
}

/** A path with the dot that ends it. */
const asPrefix = (path: string): string => (path.endsWith(".") ? path : `${path}.`);

function renamer(paths: Readonly<Record<string, string>>): Step {
  const renames = new Map(Object.entries(paths).map(([from, to]) => [from.replace(/\.$/, ""), to.replace(/\.$/, "")]));
  return (name, tensor) => {
    // The longest path decides: a tensor before its module, an inner module before an outer one.
    for (let end = name.length; end > 0; end = name.lastIndexOf(".", end - 1)) {
      const to = renames.get(name.slice(0, end));
      if (to !== undefined) return [[to + name.slice(end), tensor]];
    }
    return undefined;
  };
}

/** Expressions of split and merge stand for whole names. */
const wholeName = (source: string): RegExp => new RegExp(`^(?:${source})$`, "u");

function splitter({ split, into, axis, sizes }: Extract<Migration, { split: string }>): Step {
  const expression = wholeName(split);
  return (name, tensor) => {
    if (!expression.test(name)) return undefined;
    const whole = tensor.shape[axis];
    const part = (whole ?? 0) / into.length;
    const parts = sizes ?? into.map(() => part);
    const sum = parts.reduce((total, size) => total + size, 0);
    if (whole === undefined || parts.length !== into.length || !parts.every(Number.isInteger) || sum !== whole) {
      throw failed(
        "split",
        `${name} of shape [${tensor.shape.join(", ")}] cannot be cut along axis ${axis} into ${describeParts(into, sizes)}`,
        {
          name,
          shape: tensor.shape,
          axis,
        },
      );
    }
    let start = 0;
    return into.map((target, index) => {
      const end = start + (parts[index] ?? 0);
      const slice = sliceTensor(tensor, axis, start, end);
      start = end;
      return [name.replace(expression, target), slice];
    });
  };
}

const describeParts = (into: readonly string[], sizes: readonly number[] | undefined): string =>
  sizes ? `${into.length} parts of sizes ${sizes.join(", ")}` : `${into.length} equal parts`;

function transposer({ transpose, axes }: Extract<Migration, { transpose: string }>): Step {
  const matches = globMatcher(transpose);
  return (name, tensor) => {
    if (!matches(name)) return undefined;
    const order = axes ?? tensor.shape.map((_, axis) => tensor.shape.length - 1 - axis);
    const isOrder = order.length === tensor.shape.length && tensor.shape.every((_, axis) => order.includes(axis));
    if (!isOrder) {
      throw failed("transpose", `${name} of shape [${tensor.shape.join(", ")}] has no axes in the order [${order.join(", ")}]`, {
        name,
        shape: tensor.shape,
        axes: order,
      });
    }
    return [[name, permuteTensor(tensor, order)]];
  };
}

function merge(values: StateValues, { merge: sources, into, axis }: Extract<Migration, { merge: string[] }>) {
  const expressions = sources.map(wholeName);
  const wholes = new Map<string, (TensorData | undefined)[]>();
  const wholeOf = new Map<string, string>();
  for (const [name, tensor] of values) {
    const part = expressions.findIndex((expression) => expression.test(name));
    if (part < 0) continue;
    const whole = name.replace(expressions[part] ?? "", into);
    const parts = wholes.get(whole) ?? expressions.map(() => undefined);
    if (parts[part]) throw failed("merge", `${whole} has two parts that match ${sources[part]}`, { name: whole });
    parts[part] = tensor;
    wholes.set(whole, parts);
    wholeOf.set(name, whole);
  }
  const result = new Map<string, TensorData>();
  const done = new Set<string>();
  for (const [name, tensor] of values) {
    const whole = wholeOf.get(name);
    if (whole === undefined) put(result, name, tensor, "merge");
    else if (!done.has(whole)) {
      done.add(whole);
      put(result, whole, joined(whole, wholes.get(whole) ?? [], sources, axis), "merge");
    }
  }
  return { values: result, matched: wholeOf.size };
}

function joined(name: string, parts: readonly (TensorData | undefined)[], sources: readonly string[], axis: number): TensorData {
  const found = parts.filter((part) => part !== undefined);
  const absent = sources.filter((_, index) => parts[index] === undefined);
  if (absent.length > 0) throw failed("merge", `${name} lacks the part that matches ${absent.join(" and ")}`, { name, absent });
  return concatTensors(found, axis);
}

function failed(migration: string, why: string, details: Record<string, unknown>): CheckpointIncompatibleError {
  return new CheckpointIncompatibleError("MIGRATION_FAILED", `The migration ${migration} cannot be applied: ${why}.`, {
    details: { missingKeys: [], unexpectedKeys: [], shapeMismatches: [], migration, ...details },
  });
}
