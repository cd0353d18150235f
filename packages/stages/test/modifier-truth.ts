import { type Checkpoint, CheckpointNotFoundError, type Json, memorySource, type Platform, type TensorData } from "@ckptkit/core";
import { CheckpointContext, type Notice, type StageOptions } from "@ckptkit/core/pipeline";
import { openCheckpoint } from "@ckptkit/formats";
import { loadFixture } from "@ckptkit/testkit/vite";
import { jsKernels } from "@ckptkit/wasm/js";
import { ReferenceModel } from "../src/model/index.js";
import { bytesOfTensor } from "./tensors.js";

/** What every case of `fixtures/files/modifiers.json` tells. */
interface Case {
  /** Its tensors are `<case>/<name>` in modifiers.safetensors. */
  case: string;
  /** The weights before are `<base>/<name>`. */
  base: string;
}

export interface LoraCase extends Case {
  kind: "lora";
  adapter: string;
  config: { [key: string]: Json };
  exact: boolean;
  /** Names of the tensors that differ from the base's; all others are the same. */
  changed: string[];
}

export interface QuantizeCase extends Case {
  kind: "quantize";
  scheme: "per_tensor" | "per_channel";
  axis: number | null;
  qmin: number;
  qmax: number;
  tensors: string[];
}

export interface PruneCase extends Case {
  kind: "prune";
  options: {
    method: "l1_unstructured" | "ln_structured";
    amount?: number;
    count?: number;
    global?: boolean;
    n?: number | "inf";
    dim?: number;
  };
  /** Zeros of each tensor after pruning. */
  zeros: { [name: string]: number };
}

// The generator wrote it in this shape.
const manifest = JSON.parse(new TextDecoder().decode(await loadFixture("modifiers.json"))) as {
  cases: (LoraCase | QuantizeCase | PruneCase)[];
};
export const loraCases = manifest.cases.filter((each) => each.kind === "lora");
export const quantizeCases = manifest.cases.filter((each) => each.kind === "quantize");
export const pruneCases = manifest.cases.filter((each) => each.kind === "prune");

const truth = await openCheckpoint(memorySource(await loadFixture("modifiers.safetensors"), "modifiers.safetensors"));

/** The tensors of a case or of a base, by their names there. */
export function tensorsOf(name: string): Map<string, TensorData> {
  return new Map(
    truth.tensors.filter((tensor) => tensor.name.startsWith(`${name}/`)).map((tensor) => [tensor.name.slice(name.length + 1), tensor]),
  );
}

/** A model that holds tensors, in their order. */
export function modelOf(tensors: ReadonlyMap<string, TensorData>, ties: Readonly<Record<string, string>> = {}): ReferenceModel {
  const entries = [...tensors].map(([name, { dtype, shape }]) => ({ name, dtype, shape, tiedTo: ties[name] }));
  const model = ReferenceModel.of(entries);
  model.loadStateDictSync(tensors, { strict: true });
  model.weightsInitialized = true;
  return model;
}

/** A context with a model, kernels, and files by their addresses. */
export function contextOf(model: ReferenceModel, files: Readonly<Record<string, Uint8Array<ArrayBuffer>>> = {}): CheckpointContext {
  return new CheckpointContext({ model, platform: filesPlatform(files) });
}

/** A platform whose files are in memory. Counts those that are open. */
export function filesPlatform(files: Readonly<Record<string, Uint8Array<ArrayBuffer>>>): Platform & { openFiles: Set<string> } {
  const openFiles = new Set<string>();
  return {
    openFiles,
    async open(uri) {
      const bytes = files[uri];
      if (!bytes) throw new CheckpointNotFoundError("NOT_FOUND", `There is no file ${uri}.`);
      openFiles.add(uri);
      return { ...memorySource(bytes, uri), close: async () => void openFiles.delete(uri) };
    },
    create: () => Promise.reject(new Error("nothing is written here")),
    kernels: async () => jsKernels(),
  };
}

/** Opens bytes as a checkpoint. */
export const openBytes = (bytes: Uint8Array<ArrayBuffer>, name: string): Promise<Checkpoint> => openCheckpoint(memorySource(bytes, name));

/** JSON as the bytes of a file. */
export const jsonFile = (value: unknown): Uint8Array<ArrayBuffer> => new TextEncoder().encode(JSON.stringify(value));

/** Stage options that keep notices. */
export function stageWithNotices(): StageOptions & { notices: Notice[] } {
  const notices: Notice[] = [];
  return { notices, onNotice: (notice) => notices.push(notice) };
}

/** The elements of a tensor as numbers. */
export async function numbersOf(tensor: TensorData | undefined): Promise<number[]> {
  const bytes = await bytesOfTensor(tensor);
  switch (tensor?.dtype) {
    case "F32":
      return [...new Float32Array(bytes.buffer)];
    case "F64":
      return [...new Float64Array(bytes.buffer)];
    case "I8":
      return [...new Int8Array(bytes.buffer)];
    case "F16":
    case "BF16": {
      const wide = new Float32Array(bytes.length / 2);
      jsKernels().cast(tensor.dtype, "F32", bytes, new Uint8Array(wide.buffer));
      return [...wide];
    }
    default:
      throw new Error(`Numbers of ${tensor?.dtype} are not needed.`);
  }
}

/** The last entry of `modifiers_applied`. */
export function lastModifier(context: CheckpointContext): { readonly [key: string]: Json } {
  const list = context.metadata.modifiers_applied;
  const last: unknown = Array.isArray(list) ? list.at(-1) : undefined;
  if (typeof last !== "object" || last === null) throw new Error("No modifier was recorded.");
  return last as { readonly [key: string]: Json }; // recordModifier writes objects only
}
