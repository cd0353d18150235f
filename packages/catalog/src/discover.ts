import { STAGE_KINDS, type StageKind, type StageLike } from "@ckptkit/core/pipeline";
import * as z from "zod";
import { simpleName } from "./names.js";

/** A class of stages. */
export type StageClass = (new (
  options?: unknown,
) => StageLike) & {
  readonly stageKind?: StageKind | undefined;
  readonly description?: string | undefined;
  readonly schema?: unknown;
  supports?(uri: string): boolean;
};

/** One stage that the catalog knows. */
export interface CatalogEntry {
  readonly kind: StageKind;
  /** Name in configuration: `s3`, `transfer_learning`. */
  readonly name: string;
  /** The name under which the module exports it, whatever a minifier made of the class's own. */
  readonly className: string;
  /** Module that exports it: `@ckptkit/stages/sources`. */
  readonly module: string;
  /** One line, from the class. */
  readonly description: string;
  readonly stage: StageClass;
  /** The options that the constructor takes; undefined when the class has no schema. */
  readonly schema: z.ZodObject | undefined;
}

/**
 * Finds the stages that a module exports: concrete classes of the five kinds. Abstract ones are passed over: the bases of the kinds
 * themselves, classes without a `process`, and classes whose names begin with `Base`.
 *
 * @param module the module's name, for `_target_` and messages.
 * @example const entries = discoverStages(await import("./my-stages.js"), "./my-stages.js");
 */
export function discoverStages(namespace: object, module: string): CatalogEntry[] {
  const entries: CatalogEntry[] = [];
  for (const [className, value] of Object.entries(namespace)) {
    const kind = kindOf(value, className);
    if (kind === undefined) continue;
    const stage = value as StageClass; // kindOf has looked at it
    const { description, schema } = stage;
    entries.push({
      kind,
      name: simpleName(className, kind),
      className,
      module,
      description: typeof description === "string" ? description : "",
      stage,
      schema: schema instanceof z.ZodObject ? schema : undefined,
    });
  }
  return entries.sort(byName);
}

/** The kind of a concrete stage class; undefined for anything else. */
function kindOf(value: unknown, className: string): StageKind | undefined {
  if (typeof value !== "function" || className.startsWith("Base")) return undefined;
  // The bases of the kinds are where stageKind stands; everything under them inherits it.
  if (!("stageKind" in value) || Object.hasOwn(value, "stageKind")) return undefined;
  const prototype: unknown = value.prototype;
  if (typeof prototype !== "object" || prototype === null || !("process" in prototype) || typeof prototype.process !== "function")
    return undefined;
  return STAGE_KINDS.find((kind) => kind === value.stageKind);
}

/** By code units, so that the order is the same on every machine. */
export const byName = (a: CatalogEntry, b: CatalogEntry): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
