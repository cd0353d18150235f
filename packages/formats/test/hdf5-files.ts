import { type Checkpoint, type Json, memorySource } from "@ckptkit/core";
import { loadFixture } from "@ckptkit/testkit/vite";
import { openCheckpoint } from "../src/index.js";

/** What h5py says of one dataset. */
export interface Hdf5Truth {
  readonly path: string;
  readonly keys: readonly string[];
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly byteLength: number;
  /** Of the contiguous little-endian bytes; null where they are not read here. */
  readonly sha256: string | null;
}

/** One entry of `fixtures/files/hdf5.json`. */
export interface Hdf5FixtureFile {
  readonly file: string;
  readonly format: "hdf5" | "keras";
  readonly byteLength: number;
  readonly tensors: readonly Hdf5Truth[];
  /** Attributes of the root, and of other objects by their paths. */
  readonly root: Readonly<Record<string, Json>>;
  readonly attributes: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  /** Names that Keras gives, by the paths of datasets, in its order. */
  readonly names?: Readonly<Record<string, string>>;
  /** `config.json`, or `model_config`. */
  readonly config?: Json;
  /** `metadata.json`. */
  readonly about?: Readonly<Record<string, Json>>;
}

/** Every HDF5 file and Keras model of the fixtures, in Node and browsers alike. */
export async function hdf5Files(): Promise<readonly Hdf5FixtureFile[]> {
  const text = new TextDecoder().decode(await loadFixture("hdf5.json"));
  return (JSON.parse(text) as { files: Hdf5FixtureFile[] }).files; // the generator wrote it in this shape
}

/** Opens a fixture from memory by its content. */
export const openHdf5Fixture = async (file: string, options = {}): Promise<Checkpoint> =>
  openCheckpoint(memorySource(await loadFixture(file), file), options);
