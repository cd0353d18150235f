/** A module that may export stages, loaded when the catalog is first asked. */
export interface StageModule {
  /** Its name, as `_target_` gives it. */
  readonly name: string;
  load(): Promise<object>;
}

/** The stages of this project. */
export const OWN_MODULES: readonly StageModule[] = [
  { name: "@ckptkit/stages/sources", load: () => import("@ckptkit/stages/sources") },
  { name: "@ckptkit/stages/checks", load: () => import("@ckptkit/stages/checks") },
  { name: "@ckptkit/stages/loading", load: () => import("@ckptkit/stages/loading") },
  { name: "@ckptkit/stages/modifiers", load: () => import("@ckptkit/stages/modifiers") },
  { name: "@ckptkit/stages/sinks", load: () => import("@ckptkit/stages/sinks") },
];
