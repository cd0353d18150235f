import { CheckpointConfigError } from "@ckptkit/core";
import { type Notice, STAGE_KINDS, type StageConfig, type StageKind, type StageLike } from "@ckptkit/core/pipeline";
import { closest, distance } from "fastest-levenshtein";
import { type CatalogEntry, discoverStages } from "./discover.js";

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

/** Key of a stage that is named by module and class instead of by its simple name. */
export const TARGET_KEY = "_target_";

/** How far a misspelt name may be from one that exists, as a part of its length, to be suggested. */
const SIMILARITY = 0.5;

/**
 * The stages that there are, found by looking at what modules export: no list is kept by hand.
 *
 * @example
 * const catalog = await Catalog.load();
 * const stage = catalog.build({ source: "local", path: "model.ckpt" });
 */
export class Catalog {
  readonly #entries: readonly CatalogEntry[];
  /** Modules that could not be loaded, and why. */
  readonly notices: readonly Notice[];

  private constructor(entries: readonly CatalogEntry[], notices: readonly Notice[]) {
    this.#entries = entries;
    this.notices = notices;
  }

  /**
   * Loads modules and looks for stages in them. A module that cannot be loaded gives a notice, and is passed over.
   *
   * @param modules those of this project when left out; others go beside them: `[...OWN_MODULES, mine]`.
   */
  static async load(modules: readonly StageModule[] = OWN_MODULES): Promise<Catalog> {
    const notices: Notice[] = [];
    const found = await Promise.all(
      modules.map(async ({ name, load }) => {
        try {
          return discoverStages(await load(), name);
        } catch (error) {
          notices.push({
            level: "warning",
            message: `The module ${name} could not be loaded: ${error instanceof Error ? error.message : String(error)}`,
          });
          return [];
        }
      }),
    );
    return new Catalog(found.flat(), notices);
  }

  /** All stages, or those of one kind, in the order of their names. */
  list(kind?: StageKind): readonly CatalogEntry[] {
    const kinds = kind === undefined ? STAGE_KINDS : [kind];
    return kinds.flatMap((wanted) => this.#entries.filter((entry) => entry.kind === wanted));
  }

  /**
   * The stage of a simple name.
   *
   * @throws {CheckpointConfigError} UNKNOWN_STAGE with the names that there are, the nearest of them, and an example
   */
  get(kind: StageKind, name: string): CatalogEntry {
    const entries = this.list(kind);
    const found = entries.find((entry) => entry.name === name) ?? entries.find((entry) => entry.className === name);
    if (found) return found;
    if (entries.length === 0) {
      throw new CheckpointConfigError("UNKNOWN_STAGE", `There is no ${kind} "${name}": no module that was loaded has any ${kind}.`, {
        details: { kind, name, available: [] },
        suggestions: this.notices.map(({ message }) => message),
      });
    }
    const names = entries.map((entry) => entry.name);
    const near = closest(name, names);
    const meant = distance(name, near) <= Math.max(2, near.length * SIMILARITY) ? near : undefined;
    throw new CheckpointConfigError(
      "UNKNOWN_STAGE",
      `There is no ${kind} "${name}".${meant === undefined ? "" : ` Did you mean "${meant}"?`} Available: ${names.join(", ")}.`,
      {
        details: { kind, name, available: names, ...(meant !== undefined && { didYouMean: meant }) },
        suggestions: [...entries.map((entry) => `${entry.name}: ${entry.description}`), `For example: - ${kind}: ${meant ?? names[0]}`],
      },
    );
  }

  /** The first source whose class handles an address. */
  sourceFor(uri: string): CatalogEntry | undefined {
    return this.list("source").find(({ stage }) => stage.supports?.(uri) ?? false);
  }

  /**
   * Which stage a configuration names, and with which options.
   *
   * @throws {CheckpointConfigError} UNKNOWN_STAGE, STAGE_CONFIG
   */
  resolve(config: StageConfig): { entry: CatalogEntry; options: StageConfig; key: string } {
    const { [TARGET_KEY]: target, ...rest } = config;
    if (target !== undefined) return { entry: this.#target(String(target)), options: rest, key: TARGET_KEY };
    const kinds = STAGE_KINDS.filter((kind) => Object.hasOwn(config, kind));
    const [kind] = kinds;
    if (kind === undefined || kinds.length > 1) {
      throw new CheckpointConfigError(
        "STAGE_CONFIG",
        `A stage is named by exactly one of ${[...STAGE_KINDS, TARGET_KEY].join(", ")}; ${kinds.length === 0 ? `found ${Object.keys(config).join(", ") || "nothing"}` : `found ${kinds.join(" and ")}`}.`,
        {
          suggestions: ["For example: - source: local"],
        },
      );
    }
    const { [kind]: name, ...options } = config;
    return { entry: this.get(kind, String(name)), options, key: kind };
  }

  /** `@ckptkit/stages/sources#S3Source`; a dotted Python path counts by its last part. */
  #target(target: string): CatalogEntry {
    const [module, className] = target.includes("#") ? target.split("#") : [undefined, target.split(".").at(-1)];
    const found = this.#entries.find((entry) => entry.className === className && (module === undefined || entry.module === module));
    if (found) return found;
    const classes = this.#entries.map((entry) => `${entry.module}#${entry.className}`);
    throw new CheckpointConfigError(
      "UNKNOWN_STAGE",
      `There is no stage ${JSON.stringify(target)}. Did you mean "${closest(target, classes)}"?`,
      {
        details: { target, available: classes },
        suggestions: ['A target is module#Class, for example "@ckptkit/stages/sources#LocalSource".'],
      },
    );
  }

  /**
   * Makes a stage of its configuration.
   *
   * @throws {CheckpointConfigError} UNKNOWN_STAGE, STAGE_CONFIG, INVALID_ARGUMENT
   */
  build = (config: StageConfig): StageLike => {
    const { entry, options } = this.resolve(config);
    return new entry.stage(options);
  };
}
