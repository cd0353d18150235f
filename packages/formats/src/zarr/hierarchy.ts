import { CheckpointError, checkLimit, type Finding, type Limits, type SignalOptions } from "@ckptkit/core";
import type { ArrayDescription } from "./array.js";
import { describeV2 } from "./array-v2.js";
import { describeV3 } from "./array-v3.js";
import { zarrError } from "./errors.js";
import { isObject, type JsonObject, objectAt } from "./json.js";
import type { KeyStore } from "./store.js";

/** An array or a group of zarr, by its path: names with "/" between them, "" for the root. */
export interface ZarrNode {
  readonly path: string;
  /** Undefined for a group. */
  readonly array: ArrayDescription | undefined;
  readonly attributes: JsonObject;
}

/** Nodes that are read side by side. */
const AT_ONCE = 8;

/** Collects nodes, and what is wrong with those that cannot be described. */
export class Hierarchy {
  readonly nodes: ZarrNode[] = [];
  readonly #store: KeyStore;
  readonly #limits: Limits;
  readonly #findings: Finding[];
  readonly #options: SignalOptions;

  constructor(store: KeyStore, limits: Limits, findings: Finding[], options: SignalOptions) {
    this.#store = store;
    this.#limits = limits;
    this.#findings = findings;
    this.#options = options;
  }

  /** The metadata of all nodes, which `.zmetadata` has by their keys. @throws {CheckpointLoadError} ZARR_CORRUPT, LIMIT_EXCEEDED */
  addConsolidatedV2(consolidated: JsonObject): void {
    const { metadata } = consolidated;
    if (!isObject(metadata)) throw zarrError(this.#store.name, "they have no metadata of arrays");
    const byKey = new Map(Object.entries(metadata));
    checkLimit(this.#limits, "metadataValues", byKey.size, `Entries of ${this.#store.name}`);
    for (const [key, value] of byKey) {
      const { path, file } = splitKey(key);
      if (file !== ".zarray" && file !== ".zgroup") continue;
      const attributes = byKey.get(joined(path, ".zattrs"));
      this.#addV2(path, file, isObject(value) ? value : {}, isObject(attributes) ? attributes : {});
    }
  }

  /** Reads a node of version 2 from its own files, and those below it where they can be listed. */
  async addV2(path: string, known?: { file: ".zarray" | ".zgroup"; metadata: JsonObject }): Promise<void> {
    const attributes = (await this.#object(joined(path, ".zattrs"))) ?? {};
    const array = known?.file === ".zarray" ? known.metadata : known ? undefined : await this.#object(joined(path, ".zarray"));
    if (array) {
      this.#addV2(path, ".zarray", array, attributes);
      return;
    }
    this.#addV2(path, ".zgroup", {}, attributes);
    await this.#below(path, (names) => (names.includes(".zarray") || names.includes(".zgroup") ? "v2" : undefined));
  }

  /** Adds a node of version 3 from its `zarr.json`, and those below it: as it says itself, or as they can be listed. */
  async addV3(path: string, metadata: JsonObject): Promise<void> {
    this.#addV3(path, metadata);
    if (metadata.node_type !== "group") return;
    const { consolidated_metadata: consolidated } = metadata;
    if (isObject(consolidated) && isObject(consolidated.metadata)) {
      for (const [below, value] of Object.entries(consolidated.metadata)) if (isObject(value)) this.#addV3(joined(path, below), value);
      return;
    }
    await this.#below(path, (names) => (names.includes("zarr.json") ? "v3" : undefined));
  }

  #addV2(path: string, file: ".zarray" | ".zgroup", metadata: JsonObject, attributes: JsonObject): void {
    this.#add(path, file === ".zarray" ? () => describeV2(metadata, attributes, this.#nameOf(path)) : undefined, attributes);
  }

  #addV3(path: string, metadata: JsonObject): void {
    const attributes = isObject(metadata.attributes) ? metadata.attributes : {};
    this.#add(path, metadata.node_type === "array" ? () => describeV3(metadata, this.#nameOf(path)) : undefined, attributes);
  }

  /** An array that makes no sense is a finding, so that the others can be read. @throws the error where it is the only one */
  #add(path: string, describe: (() => ArrayDescription) | undefined, attributes: JsonObject): void {
    checkLimit(this.#limits, "treeDepth", path.split("/").length, `Groups within groups of ${this.#store.name}`);
    checkLimit(this.#limits, "tensors", this.nodes.length + 1, `Arrays and groups of ${this.#store.name}`);
    try {
      this.nodes.push({ path, array: describe?.(), attributes });
    } catch (error) {
      if (!(error instanceof CheckpointError) || path === "") throw error;
      this.#findings.push({ rule: "zarr-bad-array", severity: "error", message: `An array was not read: ${error.message}`, at: path });
    }
  }

  #nameOf(path: string): string {
    return path === "" ? this.#store.name : path;
  }

  #object(key: string): Promise<JsonObject | undefined> {
    return objectAt(this.#store, key, this.#limits, this.#options);
  }

  /** Looks for nodes in the folders of a group. */
  async #below(path: string, kindOf: (names: readonly string[]) => "v2" | "v3" | undefined): Promise<void> {
    const folder = path === "" ? "" : `${path}/`;
    const names = await this.#store.list(folder);
    if (!names) {
      this.#findings.push({
        rule: "zarr-not-listed",
        severity: "error",
        message:
          "What is in this group is written nowhere, and the place that it lies in does not list its files: open an array of it by its own address, or consolidate the metadata.",
        ...(path === "" ? {} : { at: path }),
      });
      return;
    }
    const folders = names.filter((name) => name.endsWith("/")).map((name) => folder + name.slice(0, -1));
    for (let first = 0; first < folders.length; first += AT_ONCE) {
      this.#options.signal?.throwIfAborted();
      const some = folders.slice(first, first + AT_ONCE);
      const found = await Promise.all(some.map(async (below) => [below, kindOf((await this.#store.list(`${below}/`)) ?? [])] as const));
      for (const [below, kind] of found) {
        if (kind === "v2") await this.addV2(below);
        const metadata = kind === "v3" ? await this.#object(joined(below, "zarr.json")) : undefined;
        if (metadata) await this.addV3(below, metadata);
      }
    }
  }
}

const joined = (path: string, name: string): string => (path === "" ? name : `${path}/${name}`);

function splitKey(key: string): { path: string; file: string } {
  const at = key.lastIndexOf("/");
  return { path: key.slice(0, Math.max(0, at)), file: key.slice(at + 1) };
}
