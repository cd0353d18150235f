import { checkLimit, type Finding, finish, finishSync, type Limits, type Reading, step } from "@ckptkit/core";
import { ChunkCache } from "../chunks/chunk-cache.js";
import { quoted } from "../quoted.js";
import { type Attributes, readAttributes } from "./attributes.js";
import { type Hdf5Dataset, readDataset } from "./dataset.js";
import { isOfOneObject } from "./errors.js";
import type { Hdf5File } from "./file.js";
import { GlobalHeap } from "./heaps.js";
import { type Hdf5Link, readLinks } from "./links.js";
import { MESSAGE, messageOf, readObjectHeader } from "./object-header.js";

/** A group and its members, in order. */
export interface Hdf5Group {
  readonly kind: "group";
  readonly attributes: Attributes;
  readonly members: Map<string, Hdf5Member>;
}

/** What stands under a name: an object, or a link that is not followed. */
export type Hdf5Member = Hdf5Group | Hdf5Dataset | { readonly kind: "link"; readonly link: Hdf5Link };

/** Objects whose headers are read at the same time: fewer than the listeners on one signal of which Node warns. */
const AT_ONCE = 8;
/** Findings of this walk that are listed one by one. */
const MOST_FINDINGS = 100;

/** A link whose object is still to be read. */
interface Waiting {
  readonly link: Hdf5Link;
  readonly address: number;
  readonly path: readonly string[];
  readonly into: Hdf5Group;
}

interface Read {
  readonly object?: Hdf5Group | Hdf5Dataset;
  readonly links?: readonly Hdf5Link[];
  readonly findings: readonly Finding[];
  readonly error?: Error;
}

/**
 * Reads every group and the description of every dataset. An object that cannot be read is a finding; the others stand.
 * A group that has several names is entered once, so that links in circles lead nowhere.
 *
 * @throws {CheckpointLoadError} HDF5_CORRUPT, HDF5_UNSUPPORTED when it is the root; LIMIT_EXCEEDED
 */
export function* readObjects(file: Hdf5File, root: number, limits: Limits, findings: Finding[]): Reading<Hdf5Group> {
  const walk = new Walk(file, limits, findings);
  return yield* walk.from(root);
}

class Walk {
  readonly #file: Hdf5File;
  readonly #limits: Limits;
  readonly #findings: Finding[];
  readonly #heap: GlobalHeap;
  readonly #cache = new ChunkCache();
  /** Objects that were read, or are being read, and the first path that led to each. */
  readonly #known = new Map<number, { path: readonly string[]; object: Hdf5Group | Hdf5Dataset | undefined }>();
  #count = 0;
  #left = MOST_FINDINGS;

  constructor(file: Hdf5File, limits: Limits, findings: Finding[]) {
    this.#file = file;
    this.#limits = limits;
    this.#findings = findings;
    this.#heap = new GlobalHeap(file);
  }

  *from(root: number): Reading<Hdf5Group> {
    const { object, links = [], findings, error } = yield* this.#read(root, []);
    if (error) throw error;
    for (const finding of findings) this.#tell(finding);
    if (object?.kind !== "group") throw new TypeError("unreachable: the root was read as a group");
    this.#known.set(root, { path: [], object });
    // The next ones last. What describes the members of a group mostly stands together: they are read before other groups are.
    const waiting = this.#enter(object, links, []).reverse();
    while (waiting.length > 0) waiting.push(...(yield* this.#some(waiting.splice(-AT_ONCE).reverse())).reverse());
    return object;
  }

  /** Reads some objects, and gives those that are in them. */
  *#some(some: readonly Waiting[]): Reading<Waiting[]> {
    // Two names of one object may stand side by side.
    const first = new Map(
      some
        .filter(({ address }) => !this.#known.has(address))
        .map((one): [number, Waiting] => [one.address, one])
        .reverse(),
    );
    const fresh = some.filter((one) => first.get(one.address) === one);
    for (const { address, path } of fresh) this.#known.set(address, { path, object: undefined });
    const reading = (one: Waiting): Reading<Read> => this.#read(one.address, one.path);
    const found = yield* step({
      what: `reading the objects of ${this.#file.name}`,
      wait: () => Promise.all(fresh.map((one) => finish(reading(one)))),
      now: () => fresh.map((one) => finishSync(reading(one))),
    });
    const next = fresh.flatMap((one, index) => this.#place(one, found[index] ?? { findings: [] }));
    for (const one of some) if (!fresh.includes(one)) this.#again(one);
    return next;
  }

  #place({ link, address, path, into }: Waiting, { object, links = [], findings, error }: Read): Waiting[] {
    for (const finding of findings) this.#tell(finding);
    if (error) {
      this.#tell({
        rule: "hdf5-damaged-object",
        severity: "error",
        message: `${quoted(path.join("/"))} was not read: ${error.message}`,
        at: path.join("/"),
      });
      return [];
    }
    if (!object) return [];
    this.#known.set(address, { path, object });
    into.members.set(link.name, object);
    return object.kind === "group" ? this.#enter(object, links, path) : [];
  }

  /** A further name of an object: datasets stand there as well, groups are not entered again. */
  #again({ link, address, path, into }: Waiting): void {
    const known = this.#known.get(address);
    if (known?.object?.kind === "dataset") into.members.set(link.name, known.object);
    else if (known) {
      into.members.set(link.name, { kind: "link", link: { ...link, target: `/${known.path.join("/")}` } });
      if (!known.object) return; // it could not be read, as was told
      const message = `${quoted(path.join("/"))} is the group ${quoted(`/${known.path.join("/")}`)} under another name: its arrays are listed there only.`;
      this.#tell({ rule: "hdf5-same-group", severity: "info", message, at: path.join("/") });
    }
  }

  /** Puts the members of a group into their order, and gives those that are to be read. */
  #enter(group: Hdf5Group, links: readonly Hdf5Link[], above: readonly string[]): Waiting[] {
    checkLimit(this.#limits, "treeDepth", above.length, `Groups within groups of ${this.#file.name}`);
    this.#count += links.length;
    checkLimit(this.#limits, "tensors", this.#count, `Objects of ${this.#file.name}`);
    const waiting: Waiting[] = [];
    for (const link of links) {
      const { name, address } = link;
      const path = [...above, name];
      if (group.members.has(name)) {
        const message = `${quoted(`/${above.join("/")}`)} has two members named ${quoted(name)}: the first one counts.`;
        this.#tell({ rule: "hdf5-duplicate-name", severity: "warning", message, at: path.join("/") });
        continue;
      }
      // Holds the place in the order; what is read later takes it.
      group.members.set(name, { kind: "link", link });
      if (address !== undefined) waiting.push({ link, address, path, into: group });
      else if (link.kind === "external") {
        const message = `${quoted(path.join("/"))} leads into the file ${quoted(link.file ?? "")}, which was not opened.`;
        this.#tell({ rule: "hdf5-external-link", severity: "warning", message, at: path.join("/") });
      }
    }
    return waiting;
  }

  *#read(address: number, path: readonly string[]): Reading<Read> {
    const findings: Finding[] = [];
    const file = this.#file;
    try {
      const messages = yield* readObjectHeader(file, address);
      const attributes = yield* readAttributes(file, this.#heap, messages, ({ message }) =>
        findings.push({ rule: "hdf5-damaged-attribute", severity: "error", message, at: path.join("/") }),
      );
      const isDataset = path.length > 0 && messageOf(messages, MESSAGE.layout) !== undefined;
      if (isDataset) {
        const object = readDataset({ file, cache: this.#cache, messages, attributes, path: path.join("/"), findings });
        return { object, findings };
      }
      const links = yield* readLinks(file, messages);
      return { object: { kind: "group", attributes, members: new Map() }, links, findings };
    } catch (error) {
      if (isOfOneObject(error)) return { findings, error };
      throw error;
    }
  }

  #tell(finding: Finding): void {
    if (this.#left-- > 0) this.#findings.push(finding);
    else if (this.#left === -1)
      this.#findings.push({
        rule: finding.rule,
        severity: "warning",
        message: `There are more findings like these: ${MOST_FINDINGS} are listed.`,
      });
  }
}
