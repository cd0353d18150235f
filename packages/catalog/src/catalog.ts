import { CheckpointConfigError } from "@ckptkit/core";
import { type Notice, STAGE_KINDS, type StageConfig, type StageKind, type StageLike } from "@ckptkit/core/pipeline";
import { closest, distance } from "fastest-levenshtein";
import { byName, type CatalogEntry, discoverStages } from "./discover.js";
import { AS_KEY, namedSource } from "./named-source.js";
import { OWN_MODULES, type StageModule } from "./own-modules.js";

/** Key of a stage that is named by module and class instead of by its simple name. */
export const TARGET_KEY = "_target_";

/** How far a misspelt name may be from one that exists, as a part of its length, to be suggested. */
const SIMILARITY = 0.5;

/** What a configuration of a stage means. */
export interface ResolvedStage {
  readonly entry: CatalogEntry;
  readonly options: StageConfig;
  /** The key that names the stage: its kind, or `_target_`. */
  readonly key: string;
  /** For a source: the name that its checkpoint gets. */
  readonly as?: string | undefined;
}

/** What modules were found to export, so that each is loaded and looked at once. */
const discovered = new WeakMap<StageModule, Promise<readonly CatalogEntry[]>>();

/**
 * The stages that there are, found by looking at what modules export: no list is kept by hand.
 *
 * @example
 * const catalog = await Catalog.load();
 * const stage = catalog.build({ source: "local", path: "model.ckpt" });
 */
export class Catalog {
  readonly #entries: readonly CatalogEntry[];
  /** Modules that could not be loaded, and names that are taken twice. */
  readonly notices: readonly Notice[];

  private constructor(entries: readonly CatalogEntry[], notices: readonly Notice[]) {
    this.#entries = entries;
    this.notices = notices;
  }

  /**
   * Loads modules and looks for stages in them. A module that cannot be loaded gives a notice, and is passed over.
   *
   * @param modules those of this project when left out; others go beside them: `[...OWN_MODULES, mine]`. Of two stages of one
   * name the first is taken.
   */
  static async load(modules: readonly StageModule[] = OWN_MODULES): Promise<Catalog> {
    const notices: Notice[] = [];
    const warn = (message: string): void => {
      notices.push({ level: "warning", message });
    };
    const found = await Promise.all(
      modules.map((module) =>
        entriesOf(module).catch((error: unknown) => {
          warn(`The module ${module.name} could not be loaded: ${error instanceof Error ? error.message : String(error)}`);
          return [];
        }),
      ),
    );
    const taken = new Map<string, CatalogEntry>();
    for (const entry of found.flat()) {
      const { kind, name } = entry;
      const first = taken.get(`${kind} ${name}`) ?? entry;
      taken.set(`${kind} ${name}`, first);
      if (first.stage !== entry.stage) {
        warn(
          `The ${kind} "${name}" of ${first.module} hides the one of ${entry.module}; name that one by ${TARGET_KEY}: ${targetOf(entry)}.`,
        );
      }
    }
    return new Catalog(found.flat(), notices);
  }

  /** All stages, or those of one kind: kind by kind, in the order of their names. */
  list(kind?: StageKind): readonly CatalogEntry[] {
    const kinds = kind === undefined ? STAGE_KINDS : [kind];
    return kinds.flatMap((wanted) => this.#entries.filter((entry) => entry.kind === wanted).sort(byName));
  }

  /**
   * The stage of a simple name, or of the name of its class.
   *
   * @throws {CheckpointConfigError} UNKNOWN_STAGE with the names that there are, the nearest of them, and an example
   */
  get(kind: StageKind, name: string): CatalogEntry {
    const entries = this.#entries.filter((entry) => entry.kind === kind);
    const found = entries.find((entry) => entry.name === name) ?? entries.find((entry) => entry.className === name);
    if (found) return found;
    const elsewhere = this.#entries
      .filter((entry) => entry.name === name)
      .map((entry) => `"${name}" is a ${entry.kind}: - ${entry.kind}: ${name}`);
    if (entries.length === 0) {
      throw new CheckpointConfigError(
        "UNKNOWN_STAGE",
        `There is no ${kind} ${JSON.stringify(name)}: no module that was loaded has any ${kind}.`,
        {
          details: { key: kind, kind, name, available: [] },
          suggestions: [...elsewhere, ...this.notices.map(({ message }) => message)],
        },
      );
    }
    const names = this.list(kind).map((entry) => entry.name);
    const meant = nearest(name, names);
    throw new CheckpointConfigError(
      "UNKNOWN_STAGE",
      `There is no ${kind} ${JSON.stringify(name)}.${meant === undefined ? "" : ` Did you mean "${meant}"?`} Available: ${names.join(", ")}.`,
      {
        details: { key: kind, kind, name, available: names, ...(meant !== undefined && { didYouMean: meant }) },
        suggestions: [
          ...elsewhere,
          ...this.list(kind).map((entry) => `${entry.name}: ${entry.description}`),
          `For example: - ${kind}: ${meant ?? names[0]}`,
        ],
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
   * @throws {CheckpointConfigError} UNKNOWN_STAGE; STAGE_CONFIG when it names none or several
   */
  resolve(config: StageConfig): ResolvedStage {
    const named = [...STAGE_KINDS, TARGET_KEY].filter((key) => Object.hasOwn(config, key));
    const [key] = named;
    if (key === undefined || named.length > 1) {
      const keys = Object.keys(config);
      const slip = key === undefined ? slipOf(keys) : undefined;
      throw new CheckpointConfigError(
        "STAGE_CONFIG",
        `A stage is named by one of ${[...STAGE_KINDS, TARGET_KEY].join(", ")}; found ${key === undefined ? keys.join(", ") || "nothing" : named.join(" and ")}.${slip ? ` Did you mean "${slip.meant}"?` : ""}`,
        { details: { key: slip?.key ?? named[1] }, suggestions: ["For example: - source: local"] },
      );
    }
    const { [key]: name, ...options } = config;
    if (typeof name !== "string" || name === "") {
      throw new CheckpointConfigError(
        "STAGE_CONFIG",
        `The name of a stage was expected, found ${name === "" ? "an empty string" : JSON.stringify(name)}.`,
        {
          details: { key },
          suggestions: ["See the stages with: ckpt catalog"],
        },
      );
    }
    const kind = STAGE_KINDS.find((candidate) => candidate === key);
    const entry = kind ? this.get(kind, name) : this.#target(name);
    if (entry.kind !== "source" || !Object.hasOwn(options, AS_KEY) || Object.hasOwn(entry.schema?.shape ?? {}, AS_KEY))
      return { entry, options, key };
    const { [AS_KEY]: as, ...rest } = options;
    if (typeof as === "string" && as !== "") return { entry, options: rest, key, as };
    throw new CheckpointConfigError("STAGE_CONFIG", "A name for the checkpoint was expected.", {
      details: { key: AS_KEY },
      suggestions: ["For example: as: encoder"],
    });
  }

  /** `@ckptkit/stages/sources#S3Source`; a dotted Python path counts by its last part, `HTTPSource` as `HttpSource`. */
  #target(target: string): CatalogEntry {
    const hash = target.lastIndexOf("#");
    const module = hash < 0 ? undefined : target.slice(0, hash);
    const className = hash < 0 ? (target.split(".").at(-1) ?? target) : target.slice(hash + 1);
    const named = this.#entries.filter(
      (entry) => entry.className === className || (module === undefined && isPythonName(className, entry)),
    );
    const found = named.find((entry) => module === undefined || entry.module === module);
    if (found) return found;
    const classes = this.list().map(targetOf);
    const [other] = named;
    const meant = other ? targetOf(other) : nearest(target, classes);
    throw new CheckpointConfigError(
      "UNKNOWN_STAGE",
      `There is no stage ${JSON.stringify(target)}.${meant === undefined ? "" : ` Did you mean "${meant}"?`}`,
      {
        details: { key: TARGET_KEY, target, available: classes, ...(meant !== undefined && { didYouMean: meant }) },
        suggestions: ['A target is module#Class, such as "@ckptkit/stages/sources#LocalSource".', "See the stages with: ckpt catalog"],
      },
    );
  }

  /**
   * Makes a stage of its configuration.
   *
   * @throws {CheckpointConfigError} UNKNOWN_STAGE, STAGE_CONFIG, INVALID_ARGUMENT
   */
  build = (config: StageConfig): StageLike => {
    const { entry, options, as } = this.resolve(config);
    const stage = new entry.stage(options);
    // A bundler may have renamed the class; in messages and metadata it has the name that its module gives it.
    if (stage.name !== entry.className) Object.defineProperty(stage, "name", { value: entry.className });
    return as === undefined ? stage : namedSource(stage, as);
  };
}

function entriesOf(module: StageModule): Promise<readonly CatalogEntry[]> {
  const known = discovered.get(module);
  if (known) return known;
  const found = (async () => discoverStages(await module.load(), module.name))();
  discovered.set(module, found);
  // What failed may work the next time: a network, a file in the making.
  found.catch(() => discovered.delete(module));
  return found;
}

/** `@ckptkit/stages/sources#S3Source`. */
export const targetOf = ({ module, className }: CatalogEntry): string => `${module}#${className}`;

/** The name that was probably meant, if one is near enough. */
function nearest(name: string, names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const near = closest(name.toLowerCase(), names);
  return distance(name.toLowerCase(), near) <= Math.max(2, near.length * SIMILARITY) ? near : undefined;
}

/** A key that is nearly the name of a kind. */
function slipOf(keys: readonly string[]): { key: string; meant: string } | undefined {
  for (const key of keys) {
    const meant = [...STAGE_KINDS, TARGET_KEY].find((kind) => distance(key.toLowerCase(), kind) <= 2);
    if (meant !== undefined) return { key, meant };
  }
  return undefined;
}

/** Python writes acronyms in capitals, and ends some names in Stage: `HTTPSource`, `FreezingModifierStage`. */
const isPythonName = (className: string, entry: CatalogEntry): boolean =>
  className.replace(/Stage$/, "").toLowerCase() === entry.className.toLowerCase();
