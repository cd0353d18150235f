import type { StageConfig, StageLike } from "@ckptkit/core/pipeline";
import { parseOptions } from "@ckptkit/stages/options";
import { closest, distance } from "fastest-levenshtein";
import { type Catalog, TARGET_KEY } from "../catalog.js";
import { type ConfigIssue, configError } from "./issues.js";
import { type ConfigNode, type ConfigPlace, camelCase, follow, type MapNode, plainValue, showPath, withoutEntry } from "./node.js";
import { type PipelineSettings, settingsSchema } from "./settings.js";

/** A pipeline's configuration, checked. */
export interface PipelineConfig extends PipelineSettings {
  /** Stages as configuration; those that TypeScript made as they are. */
  stages: (StageConfig | StageLike)[];
}

/** Keys beside settings and stages: what extends is put in before the check, `$schema` is for editors. */
const NEITHER = ["extends", "$schema"];
/** How far a misspelt name may be from one that exists, as a part of its length, to be suggested. */
const SIMILARITY = 0.4;

interface Found {
  issues: ConfigIssue[];
  /** Values that were refused and may mean something else. */
  alternatives: Set<ConfigNode>;
  suggestions: Set<string>;
  config: PipelineConfig | undefined;
}

/**
 * Checks a configuration against the catalog: every setting, every stage with its options.
 *
 * @throws {CheckpointConfigError} CONFIG_INVALID listing every defect with its place
 */
export function checkNodes(root: ConfigNode, catalog: Catalog): PipelineConfig {
  const first = inspect(root, catalog, new Set());
  // Text from variables and the command line counts as text or as a number, whichever is wanted.
  const found = first.alternatives.size > 0 ? inspect(root, catalog, first.alternatives) : first;
  const better = found.issues.length < first.issues.length ? found : first;
  if (better.config) return better.config;
  throw configError("CONFIG_INVALID", root.place.file, better.issues, [...better.suggestions]);
}

function inspect(root: ConfigNode, catalog: Catalog, swapped: ReadonlySet<ConfigNode>): Found {
  const found: Found = { issues: [], alternatives: new Set(), suggestions: new Set(), config: undefined };
  const checker = new Checker(catalog, swapped, found);
  if (root.kind !== "map") {
    checker.report(root.place, "", "a map of settings was expected");
    return found;
  }
  const settings = checker.settings(NEITHER.reduce(withoutEntry, withoutEntry(root, "stages")));
  const stages = checker.stages(root.entries.get("stages"), root);
  if (found.issues.length === 0 && settings) found.config = { ...settings, stages };
  return found;
}

/** What parseOptions of `@ckptkit/stages/options` tells of one option. */
interface OptionProblem {
  path: string;
  expected: string;
  found: string;
}

class Checker {
  readonly #catalog: Catalog;
  readonly #swapped: ReadonlySet<ConfigNode>;
  readonly #found: Found;

  constructor(catalog: Catalog, swapped: ReadonlySet<ConfigNode>, found: Found) {
    this.#catalog = catalog;
    this.#swapped = swapped;
    this.#found = found;
  }

  report(place: ConfigPlace, path: string, message: string): void {
    this.#found.issues.push({ ...place, path, message });
  }

  settings(node: MapNode): PipelineSettings | undefined {
    try {
      return parseOptions(settingsSchema, plainValue(node, this.#swapped) as object, "the pipeline"); // a map's value; its entries are what is checked
    } catch (error) {
      this.#refuse(error, node, "", "setting");
      return undefined;
    }
  }

  stages(node: ConfigNode | undefined, root: ConfigNode): (StageConfig | StageLike)[] {
    if (node?.kind !== "list") {
      const place = node ? (node.kind === "scalar" && node.value === null ? (node.keyPlace ?? node.place) : node.place) : root.place;
      this.report(place, node ? "stages" : "", `${node ? "" : '"stages" is missing: '}a list of stages was expected`);
      this.#found.suggestions.add("For example: stages: [{source: local, path: model.ckpt}, {check: finite}]");
      return [];
    }
    const built = node.items.map((item, index) => this.#stage(item, showPath(["stages", index])));
    return built.filter((stage) => stage !== undefined);
  }

  #stage(node: ConfigNode, path: string): StageConfig | StageLike | undefined {
    if (node.kind === "stage") return node.value;
    if (node.kind !== "map") {
      const meant = node.kind === "scalar" && typeof node.value === "string" ? ` Did you mean "- source: ${node.value}"?` : "";
      this.report(node.place, path, `a stage was expected, such as "- source: local".${meant}`);
      return undefined;
    }
    const config = plainValue(node, this.#swapped) as StageConfig; // a map's value
    let named: ReturnType<Catalog["resolve"]>;
    try {
      named = this.#catalog.resolve(config);
    } catch (error) {
      const { key } = (error as { details?: { key?: unknown } }).details ?? {}; // every error may have details, or none
      const name = typeof key === "string" ? node.entries.get(key) : undefined;
      this.report(name?.place ?? node.place, name ? `${path}.${key}` : path, messageOf(error));
      for (const suggestion of suggestionsOf(error)) this.#found.suggestions.add(suggestion);
      return undefined;
    }
    try {
      new named.entry.stage(named.options);
      return config;
    } catch (error) {
      this.#refuse(error, named.key === TARGET_KEY ? node : withoutEntry(node, named.key), path, "option", named.entry.name);
      return undefined;
    }
  }

  #refuse(error: unknown, node: ConfigNode, path: string, noun: string, owner?: string): void {
    const problems = problemsOf(error);
    if (!problems) {
      this.report(node.place, path, messageOf(error));
      for (const suggestion of suggestionsOf(error)) this.#found.suggestions.add(suggestion);
      return;
    }
    for (const problem of problems) this.#problem(problem, node, path, noun, owner);
  }

  /** Finds the value that a problem is about: its key, when there is no such key; the map that it is missing from. */
  #problem(
    { path: dotted, expected: wanted, found }: OptionProblem,
    root: ConfigNode,
    above: string,
    noun: string,
    owner: string | undefined,
  ): void {
    const expected = wanted.replace(/^[^:"]{1,40}: expected /, ""); // zod: "Too small: expected number to be >0"
    const steps = dotted === "" ? [] : dotted.split(".");
    const { node, rest } = follow(root, steps);
    const path = [above, dotted]
      .filter(Boolean)
      .join(".")
      .replace(/\.(\d+)(?=\.|$)/g, "[$1]");
    const key = steps.at(-1) ?? "";
    if (rest.length === 0 && expected.startsWith("one of ") && found === key && node !== root) {
      const known = expected.slice("one of ".length).split(", ");
      const near = closest(camelCase(key), known);
      const meant = distance(camelCase(key), near) <= Math.max(2, near.length * SIMILARITY) ? ` Did you mean "${near}"?` : "";
      const all = known.join("") === "" ? " It takes none." : ` There are: ${known.join(", ")}.`;
      this.report(node.keyPlace ?? node.place, path, `there is no such ${noun}${owner ? ` of ${owner}` : ""}.${meant}${all}`);
      return;
    }
    if (expected === "one name") {
      this.report(node.keyPlace ?? node.place, path, "the same option is given in both spellings");
      return;
    }
    if (node.kind === "scalar" && node.alternative !== undefined) this.#found.alternatives.add(node);
    const isMissing = rest.length > 0 || (node.kind === "scalar" && node.value === null && node !== root);
    const place = node.kind === "scalar" && node.value === null ? (node.keyPlace ?? node.place) : node.place;
    this.report(
      place,
      path,
      isMissing ? `expected ${expected}, but it is ${rest.length > 0 ? "missing" : "empty"}` : `expected ${expected}, found ${found}`,
    );
  }
}

/** By its shape and not by its class: a stage of another package may carry its own copy of ckptkit. */
function problemsOf(error: unknown): OptionProblem[] | undefined {
  const details = error instanceof Error && "details" in error ? (error.details as { problems?: unknown } | undefined) : undefined; // checked below
  const problems = details?.problems;
  if (!Array.isArray(problems) || problems.length === 0) return undefined;
  return problems.map(({ path, expected, found }: Record<string, unknown>) => ({
    path: String(path),
    expected: String(expected),
    found: String(found),
  }));
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** What to try; nothing where the message says already what was meant. */
function suggestionsOf(error: unknown): string[] {
  const details = error instanceof Error && "details" in error ? error.details : undefined;
  if (typeof details === "object" && details !== null && "didYouMean" in details) return [];
  const suggestions = error instanceof Error && "suggestions" in error ? error.suggestions : undefined;
  return Array.isArray(suggestions) ? suggestions.map(String) : [];
}
