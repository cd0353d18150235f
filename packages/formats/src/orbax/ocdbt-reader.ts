import { type ByteSource, type Checkpoint, type Finding, type FormatReader, type OpenOptions, withLimits } from "@ckptkit/core";
import { placeJaxTensors } from "../jax-groups.js";
import { OcdbtDatabase } from "../ocdbt/database.js";
import { ocdbtError } from "../ocdbt/errors.js";
import { quoted } from "../quoted.js";
import { describeV2 } from "../zarr/array-v2.js";
import { describeV3 } from "../zarr/array-v3.js";
import { objectAt } from "../zarr/json.js";
import { arrayContext, closeContext } from "../zarr/reader.js";
import { folderStore } from "../zarr/store.js";
import { arrayTree, PathTree } from "../zarr/tree.js";
import { openOrbax } from "./reader.js";
import { ocdbtSignature } from "./signature.js";

/** Opens databases of TensorStore by `manifest.ocdbt`. */
export const ocdbtReader: FormatReader = { ...ocdbtSignature, open: openOcdbt };

const ARRAY = /^(.*?)\/?(?:\.zarray|zarr\.json)$/;

/**
 * Opens the arrays of an OCDBT database; where Orbax describes them beside it, as Orbax does.
 *
 * @param options.openSibling opens the data files, and those of other processes.
 * @throws {CheckpointLoadError} OCDBT_CORRUPT, COMPRESSION_CORRUPT, LIMIT_EXCEEDED
 * @throws {CheckpointConfigError} INVALID_ARGUMENT without `openSibling`
 * @see https://google.github.io/tensorstore/kvstore/ocdbt/index.html
 * @example const checkpoint = await openOcdbt(await open("manifest.ocdbt"), { openSibling: (name) => open(name) });
 */
export async function openOcdbt(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  const limits = withLimits(options.limits);
  const folder = folderStore(options, source.name);
  const described = await folder.open("_METADATA", options);
  if (described) {
    await source.close?.();
    return openOrbax(described, options);
  }
  const database = await OcdbtDatabase.open(folder, limits, options);
  if (!database) throw ocdbtError(source.name, "it is not beside its own folders");
  const findings: Finding[] = [];
  const context = arrayContext(database, limits);
  const root = new PathTree();
  try {
    const seen = new Set<string>();
    for await (const key of database.keys(options)) {
      const path = ARRAY.exec(key)?.[1];
      if (path === undefined || seen.has(path)) continue;
      const metadata = await objectAt(database, key, limits, options);
      if (!metadata || metadata.node_type === "group") continue;
      seen.add(path);
      const steps = path === "" ? ["array"] : path.split("/");
      const description = key.endsWith(".zarray") ? describeV2(metadata, {}, path) : describeV3(metadata, path);
      const tree = arrayTree(description, path === "" ? "" : `${path}/`, path.replaceAll("/", "."), context, findings);
      if (!root.place(steps, tree)) {
        findings.push({
          rule: "zarr-bad-array",
          severity: "error",
          message: `The array ${quoted(path)} stands where another one does.`,
          at: path,
        });
      }
    }
    const tree = root.tree();
    const { tensors, layout } = placeJaxTensors(tree, limits, findings);
    return {
      uri: source.name,
      format: "ocdbt",
      layout,
      byteLength: tensors.reduce((sum, { byteLength }) => sum + byteLength, source.size),
      tensors,
      tree,
      metadata: {},
      findings,
      close: async () => {
        await Promise.all([closeContext(context), source.close?.()]);
      },
    };
  } catch (error) {
    await closeContext(context);
    throw error;
  }
}
