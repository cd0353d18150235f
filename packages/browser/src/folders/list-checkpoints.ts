import { CheckpointConfigError, CheckpointLoadError, CheckpointNotFoundError, looksLikeCheckpoint, someNames } from "@ckptkit/core";
import { onnxDataFiles } from "@ckptkit/formats/onnx";
import { arrayFolders, describesArrays } from "./array-folders.js";
import { type Folder, type FolderEntry, notInFolder } from "./folder.js";

/** A checkpoint that a folder holds, for a person to choose from. */
export interface CheckpointCandidate {
  /** What to open: a file, the index of a sharded checkpoint or of one of TensorFlow, the `.metadata` of a distributed one, what describes a folder of Orbax or zarr, or a model with data files. */
  readonly path: string;
  /** Bytes of the file, or of index and shards together. */
  readonly byteLength: number;
  /** Paths of the other files that belong to it, as far as they are there: shards, data files; empty for a single file. */
  readonly shards: readonly string[];
  /** Paths of those that are not there. */
  readonly missing: readonly string[];
}

/** Bytes of an index that are read to find its shards. The index of a model with 200,000 tensors has about 20 MB. */
const MAX_INDEX_BYTES = 64 * 1024 * 1024;
/** What describes a distributed checkpoint of torch. */
const DISTRIBUTED = /(?:^|\/)\.metadata$/;
const INDEX = /\.index(?:\.[\w-]+)?\.json$/i;
/** The index of a TensorFlow checkpoint, and the end of the name of one of its data files. */
const TENSORFLOW = /\.index$/;
const TENSORFLOW_DATA = /\.data-\d{5}-of-(\d{5})$/;
const ONNX = /\.onnx$/i;

/**
 * The checkpoints of a folder: indexes with their shards first, then single files, each group from the largest on. Only indexes are read, and
 * of ONNX models which other files they have.
 *
 * @throws {CheckpointSourceError} what listing the folder throws
 * @example for (const { path, byteLength } of await listCheckpoints(folderOf(input.files))) console.log(path, byteLength);
 */
export async function listCheckpoints(folder: Folder): Promise<CheckpointCandidate[]> {
  const entries = await folder.list();
  const sizes = new Map(entries.map(({ path, size }) => [path, size]));
  const indexes: CheckpointCandidate[] = [];
  const taken = new Set<string>();
  for (const entry of entries.filter(({ path }) => INDEX.test(path))) {
    const named = await shardsOf(folder, entry);
    if (!named) continue;
    taken.add(entry.path);
    const shards = named.filter((path) => sizes.has(path));
    for (const path of shards) taken.add(path);
    const byteLength = shards.reduce((sum, path) => sum + (sizes.get(path) ?? 0), entry.size);
    indexes.push({ path: entry.path, byteLength, shards, missing: named.filter((path) => !sizes.has(path)) });
  }
  for (const { path, size } of entries.filter((entry) => DISTRIBUTED.test(entry.path))) {
    // Its pickle names the files; those of a folder that end so belong to it.
    const shards = [...sizes.keys()].filter(
      (other) => other.endsWith(".distcp") && beside(path, other.slice(other.lastIndexOf("/") + 1)) === other,
    );
    for (const shard of [path, ...shards]) taken.add(shard);
    indexes.push({ path, byteLength: shards.reduce((sum, shard) => sum + (sizes.get(shard) ?? 0), size), shards, missing: [] });
  }
  for (const { path, files } of arrayFolders(entries)) {
    for (const file of [path, ...files]) taken.add(file);
    indexes.push({ path, byteLength: [path, ...files].reduce((sum, file) => sum + (sizes.get(file) ?? 0), 0), shards: files, missing: [] });
  }
  const several = async (named: RegExp, filesOf: (path: string) => Promise<string[]>): Promise<void> => {
    for (const { path, size } of entries.filter((entry) => named.test(entry.path))) {
      const wanted = await filesOf(path);
      const shards = wanted.filter((shard) => sizes.has(shard));
      if (shards.length === 0) continue;
      for (const shard of [path, ...shards]) taken.add(shard);
      const byteLength = shards.reduce((sum, shard) => sum + (sizes.get(shard) ?? 0), size);
      indexes.push({ path, byteLength, shards, missing: wanted.filter((shard) => !sizes.has(shard)) });
    }
  };
  const counts = dataFileCounts(sizes.keys());
  await several(TENSORFLOW, async (path) => dataFilesOf(path.replace(TENSORFLOW, ""), counts));
  if (entries.length > 1) await several(ONNX, (path) => onnxFilesOf(folder, path));
  const single = entries
    .filter(({ path, size }) => size > 0 && !taken.has(path) && looksLikeCheckpoint(path) && !INDEX.test(path) && !TENSORFLOW.test(path))
    .map(({ path, size }) => ({ path, byteLength: size, shards: [], missing: [] }));
  const largestFirst = (a: CheckpointCandidate, b: CheckpointCandidate): number => b.byteLength - a.byteLength;
  return [...indexes.sort(largestFirst), ...single.sort(largestFirst)];
}

/** Paths of the shards that an index names; undefined for JSON of another kind. */
async function shardsOf(folder: Folder, { path, size }: FolderEntry): Promise<string[] | undefined> {
  if (size > MAX_INDEX_BYTES) return undefined;
  const source = await folder.open(path);
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(await source.read(0, source.size)));
    const map = typeof json === "object" && json !== null && "weight_map" in json ? json.weight_map : undefined;
    if (typeof map !== "object" || map === null) return undefined;
    const names = new Set(Object.values(map).filter((name) => typeof name === "string"));
    return [...names].sort().map((name) => beside(path, name));
  } catch (error) {
    // Opening it says what is wrong with it; here it is only no index.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  } finally {
    await source.close?.();
  }
}

/** How many data files TensorFlow checkpoints have, by what their paths begin with: each of them tells. */
function dataFileCounts(paths: Iterable<string>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const path of paths) {
    const end = TENSORFLOW_DATA.exec(path);
    if (end) counts.set(path.slice(0, end.index), Number(end[1]));
  }
  return counts;
}

/** Paths of all data files of a TensorFlow checkpoint. */
function dataFilesOf(prefix: string, counts: ReadonlyMap<string, number>): string[] {
  const count = counts.get(prefix) ?? 0;
  const digits = (value: number): string => String(value).padStart(5, "0");
  return Array.from({ length: count }, (_, shard) => `${prefix}.data-${digits(shard)}-of-${digits(count)}`);
}

/** Paths of the data files that an ONNX model names. */
async function onnxFilesOf(folder: Folder, path: string): Promise<string[]> {
  const source = await folder.open(path);
  try {
    return (await onnxDataFiles(source)).map((name) => beside(path, name));
  } catch (error) {
    // Opening it says what is wrong with it; here it is only a file of its own.
    if (error instanceof CheckpointLoadError) return [];
    throw error;
  } finally {
    await source.close?.();
  }
}

/** The path of a file that stands beside another. */
export const beside = (path: string, name: string): string => path.slice(0, path.lastIndexOf("/") + 1) + name;

/**
 * Which file to open: the one that is wanted (for a shard, the index that names it), or the only checkpoint of the folder.
 *
 * @throws {CheckpointNotFoundError} NOT_FOUND when there is none
 * @throws {CheckpointConfigError} SEVERAL_CHECKPOINTS when there are several and none is wanted
 */
export async function chooseCheckpoint(folder: Folder, wanted?: string): Promise<string> {
  const entries = await folder.list();
  const paths = entries.map(({ path }) => path);
  if (wanted !== undefined) {
    if (!paths.includes(wanted)) throw notInFolder(folder, wanted, paths);
    const describes = (path: string): boolean =>
      [INDEX, DISTRIBUTED, TENSORFLOW, ONNX].some((name) => name.test(path)) || describesArrays(path);
    if (describes(wanted) || !paths.some(describes)) return wanted;
    const owner = (await listCheckpoints(folder)).find(({ shards }) => shards.includes(wanted));
    return owner?.path ?? wanted;
  }
  if (paths.length === 1 && paths[0] !== undefined) return paths[0];
  const candidates = await listCheckpoints(folder);
  const [first] = candidates;
  if (first && candidates.length === 1) return first.path;
  if (!first) {
    throw new CheckpointNotFoundError("NOT_FOUND", `${folder.name} holds no file that looks like a checkpoint.`, {
      details: { folder: folder.name, files: paths.length },
      suggestions: [
        paths.length > 0 ? `It holds ${someNames(paths)}. Choose one of them by its path to open it all the same.` : "It holds no files.",
      ],
    });
  }
  throw new CheckpointConfigError(
    "SEVERAL_CHECKPOINTS",
    `There are ${candidates.length} checkpoints in ${folder.name}, and none was chosen: ${someNames(candidates.map(({ path }) => path))}.`,
    {
      details: { folder: folder.name, checkpoints: candidates.slice(0, 50).map(({ path, byteLength }) => ({ path, byteLength })) },
      suggestions: [`Choose one: openCheckpoint(folder, { path: ${JSON.stringify(first.path)} }).`],
    },
  );
}
