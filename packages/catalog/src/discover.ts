import {
  CheckpointCheck,
  CheckpointSink,
  CheckpointSource,
  LoadingStrategy,
  ModelModifier,
  PipelineStage,
  type StageKind,
  type StageLike,
} from "@ckptkit/core/pipeline";
import { z } from "zod";
import { simpleName } from "./names.js";

/** A class of stages. */
export type StageClass = (new (
  options?: unknown,
) => StageLike) & {
  readonly description?: string | undefined;
  readonly schema?: unknown;
  supports?(uri: string): boolean;
};

/** One stage that the catalog knows. */
export interface CatalogEntry {
  readonly kind: StageKind;
  /** Name in configuration: `s3`, `transfer_learning`. */
  readonly name: string;
  readonly className: string;
  /** Module that exports it: `@ckptkit/stages/sources`. */
  readonly module: string;
  /** One line, from the class. */
  readonly description: string;
  readonly stage: StageClass;
  /** The options that the constructor takes; undefined when the class has no schema. */
  readonly schema: z.ZodObject | undefined;
}

const BASES: readonly (readonly [StageKind, { prototype: PipelineStage }])[] = [
  ["source", CheckpointSource],
  ["check", CheckpointCheck],
  ["loader", LoadingStrategy],
  ["modifier", ModelModifier],
  ["sink", CheckpointSink],
];

/**
 * Finds the stages that a module exports: concrete classes of the five kinds. Abstract ones are passed over: the bases
 * themselves, classes without a `process`, and classes whose names begin with `Base`.
 *
 * @param module the module's name, for `_target_` and messages.
 * @example const entries = discoverStages(await import("./my-stages.js"), "./my-stages.js");
 */
export function discoverStages(namespace: object, module: string): CatalogEntry[] {
  const entries: CatalogEntry[] = [];
  for (const [className, value] of Object.entries(namespace)) {
    if (!isConcreteStage(value, className)) continue;
    const kind = BASES.find(([, base]) => value.prototype instanceof (base as unknown as typeof PipelineStage))?.[0]; // abstract classes are not constructors to the type checker
    if (kind === undefined) continue;
    entries.push({
      kind,
      name: simpleName(className, kind),
      className,
      module,
      description: value.description ?? "",
      stage: value,
      schema: value.schema instanceof z.ZodObject ? value.schema : undefined,
    });
  }
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function isConcreteStage(value: unknown, className: string): value is StageClass & { prototype: PipelineStage } {
  if (typeof value !== "function" || !(value.prototype instanceof PipelineStage)) return false;
  if (className.startsWith("Base") || BASES.some(([, base]) => base === (value as unknown))) return false;
  return typeof value.prototype.process === "function";
}
