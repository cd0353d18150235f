import type { StageKind, StageLike } from "@ckptkit/core/pipeline";
import type * as z from "zod";
import type { settingsSchema } from "./config/settings.js";

type Digit = "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9";
type Upper =
  | ("A" | "B" | "C" | "D" | "E" | "F" | "G" | "H" | "I" | "J" | "K" | "L" | "M")
  | ("N" | "O" | "P" | "Q" | "R" | "S" | "T" | "U" | "V" | "W" | "X" | "Y" | "Z");
type Lower = Lowercase<Upper>;

/** What `simpleName` does between two letters: an underscore where a word begins. */
type Break<Previous extends string, Letter extends string, Rest extends string> = Letter extends Upper
  ? Previous extends Lower | Digit
    ? "_"
    : Previous extends Upper
      ? Rest extends `${Lower}${string}`
        ? "_"
        : ""
      : ""
  : "";
type Snake<Text extends string, Previous extends string = ""> = Text extends `${infer Letter}${infer Rest}`
  ? `${Break<Previous, Letter, Rest>}${Lowercase<Letter>}${Snake<Rest, Letter>}`
  : "";

/** The simple name of a stage class, as `simpleName` gives it. */
type NameOf<ClassName extends string> = ClassName extends `${infer Name}${"Source" | "Check" | "Strategy" | "Loader" | "Modifier" | "Sink"}`
  ? Snake<Name>
  : Snake<ClassName>;

type OptionsOf<Class> = Class extends new (
  ...options: infer O
) => unknown
  ? O extends readonly []
    ? unknown
    : NonNullable<O[0]>
  : unknown;

/** The configurations of the stages that a module exports. */
export type StagesOf<Module, Kind extends StageKind> = {
  [ClassName in keyof Module & string]: Module[ClassName] extends abstract new (
    ...options: never
  ) => { readonly kind: Kind }
    ? { [Key in Kind]: NameOf<ClassName> } & OptionsOf<Module[ClassName]> & (Kind extends "source" ? { as?: string } : unknown)
    : never;
}[keyof Module & string];

/** A stage of this project, by its kind and name, with its options beside. */
export type OwnStage =
  | StagesOf<typeof import("@ckptkit/stages/sources"), "source">
  | StagesOf<typeof import("@ckptkit/stages/checks"), "check">
  | StagesOf<typeof import("@ckptkit/stages/loading"), "loader">
  | StagesOf<typeof import("@ckptkit/stages/modifiers"), "modifier">
  | StagesOf<typeof import("@ckptkit/stages/sinks"), "sink">;

/** Any stage by module and class: `@ckptkit/stages/sources#S3Source`. */
export type TargetStage = { readonly _target_: string; readonly [option: string]: unknown } & { readonly [Kind in StageKind]?: never };

/**
 * What a pipeline's file says.
 *
 * @typeParam OtherStage configurations of stages of other packages.
 */
export type PipelineInput<OtherStage = never> = z.input<typeof settingsSchema> & {
  /** Files that this one adds to, relative to it. */
  readonly extends?: string | readonly string[];
  readonly stages?: readonly (OwnStage | TargetStage | StageLike | OtherStage)[];
};

/**
 * Gives the configuration back as it is, with its types checked: for pipelines in TypeScript. With stages of other packages,
 * write `export default {...} satisfies PipelineInput<StagesOf<typeof import("./my-stages.js"), "check">>`.
 *
 * @example
 * export default defineConfig({
 *   stages: [{ source: "local", path: "model.ckpt" }, { check: "finite" }],
 * });
 */
export function defineConfig(config: PipelineInput): PipelineInput {
  return config;
}
