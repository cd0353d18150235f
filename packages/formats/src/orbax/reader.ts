import {
  type ByteSource,
  type Checkpoint,
  type Finding,
  type FormatReader,
  type Json,
  type Layout,
  type Limits,
  type MapNode,
  type OpenOptions,
  type PathKey,
  TensorHandle,
  type Tree,
  withLimits,
} from "@ckptkit/core";
import { placeJaxTensors } from "../jax-groups.js";
import { describeTree } from "../metadata.js";
import { type JsonObject, objectAt, readObject } from "../zarr/json.js";
import { folderStore } from "../zarr/store.js";
import { jsonTree } from "../zarr/tree.js";
import { type OpenedItem, openItem } from "./item.js";
import { itemsOf, orbaxError, type SavedItem } from "./metadata.js";
import { orbaxSignature } from "./signature.js";

/** Opens checkpoints of Orbax by `_METADATA` or `_CHECKPOINT_METADATA`. */
export const orbaxReader: FormatReader = { ...orbaxSignature, open: openOrbax };

const TREE_FILE = "_METADATA";

/**
 * Opens a checkpoint of Orbax: one tree (`_METADATA`), or one step with its items (`_CHECKPOINT_METADATA`). Arrays are those of an OCDBT database
 * (`manifest.ocdbt`), or folders of zarr. Python's numbers and texts are values, all else is read when it is asked for.
 *
 * @param options.openSibling opens the other files of the folder.
 * @throws {CheckpointLoadError} ORBAX_CORRUPT, OCDBT_CORRUPT, ZARR_CORRUPT, LIMIT_EXCEEDED
 * @throws {CheckpointConfigError} INVALID_ARGUMENT without `openSibling`
 * @see https://orbax.readthedocs.io/en/latest/guides/checkpoint/checkpoint_format.html
 * @example
 * const checkpoint = await openOrbax(await open("1000/default/_METADATA"), { openSibling: (name) => open(`1000/default/${name}`) });
 */
export async function openOrbax(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  const limits = withLimits(options.limits);
  const findings: Finding[] = [];
  const json = await readObject(source, limits, options);
  const opened = new OpenedItems(source.name, limits, findings, options);
  let saved: JsonObject | undefined;
  try {
    if ("tree_metadata" in json) await opened.addTree("", json);
    else {
      saved = json;
      await opened.addAll(json);
    }
    const { tensors, tree, layout } = opened.arrange();
    return {
      uri: source.name,
      format: "orbax",
      layout,
      // What chunks take is not known before they are read.
      byteLength: tensors.reduce((sum, { byteLength }) => sum + byteLength, source.size),
      tensors,
      tree,
      metadata: { ...describeTree(tree, limits), ...opened.values, ...aboutOf(saved, opened.custom) },
      findings,
      close: async () => {
        await Promise.all([opened.close(), source.close?.()]);
      },
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** What Orbax notes of a whole checkpoint: metrics, times, what a program added. */
function aboutOf(saved: JsonObject | undefined, custom: unknown): { readonly [key: string]: Json } {
  const { item_handlers: _, ...about } = saved ?? {};
  const all = { ...about, ...(custom === null || custom === undefined ? {} : { custom_metadata: custom }) };
  const told = Object.entries(all).filter(
    ([, value]) => value !== null && !(typeof value === "object" && Object.keys(value as object).length === 0),
  ); // it came from JSON
  return told.length === 0 ? {} : { orbax: Object.fromEntries(told) as { [key: string]: Json } }; // as did these
}

/** The items of a checkpoint, as they are opened. */
class OpenedItems {
  /** Items that are JSON. */
  readonly values: { [name: string]: Json } = {};
  custom: unknown;
  readonly #trees = new Map<string, OpenedItem>();
  readonly #name: string;
  readonly #limits: Limits;
  readonly #findings: Finding[];
  readonly #options: OpenOptions;

  constructor(name: string, limits: Limits, findings: Finding[], options: OpenOptions) {
    this.#name = name;
    this.#limits = limits;
    this.#findings = findings;
    this.#options = options;
  }

  async addTree(item: string, json: JsonObject): Promise<void> {
    const folder = item === "" ? "" : `${item}/`;
    const opened = await openItem(json, folder, this.#name, this.#limits, this.#findings, this.#options);
    this.#trees.set(item, opened);
    this.custom ??= opened.custom;
  }

  async addAll(json: JsonObject): Promise<void> {
    const items = itemsOf(json, this.#name, this.#limits);
    for (const item of items ?? [{ name: "", handler: "" }]) await this.#add(item);
    if (this.#trees.size > 0 || Object.keys(this.values).length > 0) return;
    throw orbaxError(this.#name, items ? "none of its items is there" : `it has no items, and there is no ${TREE_FILE} beside it`);
  }

  /** A tree, or a JSON file; anything else is told. */
  async #add({ name, handler }: SavedItem): Promise<void> {
    const files = folderStore(this.#options, this.#name, name === "" ? "" : `${name}/`);
    const tree = await objectAt(files, TREE_FILE, this.#limits, this.#options);
    if (tree) return this.addTree(name, tree);
    const value = name === "" ? undefined : await objectAt(files, "metadata", this.#limits, this.#options).catch(() => undefined);
    if (value) {
      Object.defineProperty(this.values, name, { value, enumerable: true, configurable: true, writable: true });
      return;
    }
    if (name === "") return;
    const message = `The item ${JSON.stringify(name)}, which ${handler.slice(0, 200) || "an unknown class"} saved, is no tree of arrays: it is not shown.`;
    this.#findings.push({ rule: "orbax-item", severity: "warning", message, at: name });
  }

  /** One tree stands for the checkpoint; several stand under their names. */
  arrange(): { tree: Tree; tensors: TensorHandle[]; layout: Layout } {
    const trees = [...this.#trees];
    const placed = trees.map(([name, { tree }]) => ({ name, tree, ...placeJaxTensors(tree, this.#limits, this.#findings) }));
    const values = Object.entries(this.values).map(([name, value]): [Tree, Tree] => [name, jsonTree(value)]);
    const [only] = placed;
    const attributes: MapNode | undefined = values.length > 0 ? { kind: "map", type: "dict", entries: values } : undefined;
    if (only && placed.length === 1) {
      const { tree, tensors, layout } = only;
      return { tree: { ...tree, ...(attributes ? { attributes } : {}) }, tensors, layout };
    }
    const under = (name: PathKey, { spec, keys, group }: TensorHandle): TensorHandle =>
      new TensorHandle(spec, { keys: [name, ...keys], name: [name, ...keys].join("."), group });
    return {
      tree: {
        kind: "map",
        type: "dict",
        entries: placed.map(({ name, tree }): [Tree, Tree] => [name, tree]),
        ...(attributes ? { attributes } : {}),
      },
      tensors: placed.flatMap(({ name, tensors }) => tensors.map((tensor) => under(name, tensor))),
      layout: placed.some(({ layout }) => layout === "pytorch") ? "pytorch" : "state_dict",
    };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#trees.values()].map((item) => item.close()));
  }
}
