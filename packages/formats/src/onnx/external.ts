import {
  type ByteSource,
  CheckpointLoadError,
  type Finding,
  type Limits,
  type OpenOptions,
  type Reading,
  sliceSource,
} from "@ckptkit/core";
import { leadsElsewhere } from "../file-beside.js";
import { canOpenBeside, type FilesBeside, openBeside } from "../open-beside.js";
import { quoted } from "../quoted.js";
import { unreadableSource } from "../unreadable-source.js";
import type { OnnxTensor } from "./description.js";

/** Findings of one kind that are listed. */
const FINDINGS_LISTED = 20;

/** The error for values in another file that cannot be had. */
const unreachable = (model: string, tensor: string, why: string, location: string): CheckpointLoadError =>
  new CheckpointLoadError("ONNX_EXTERNAL", `The values of ${quoted(tensor)} of ${model} cannot be read: ${why}.`, {
    details: { tensor: tensor.slice(0, 1000), location: location.slice(0, 1000) },
    suggestions: [
      "Put the model and its data files into one folder, under the names that they were saved with.",
      "Open the model by its path or address, so that files beside it are found; in a page, drop the folder.",
    ],
  });

/** The name of a file beside the model, as `location` gives it; undefined when it leads anywhere else. */
function fileOf({ external }: OnnxTensor): string | undefined {
  const file = (external?.get("location") ?? "").replace(/^(?:\.\/)+/, "");
  return leadsElsewhere(file) ? undefined : file;
}

/** The files beside a model that tensors have their values in. */
export function dataFiles(tensors: Iterable<OnnxTensor>): Set<string> {
  const names = new Set<string>();
  for (const tensor of tensors) {
    const file = tensor.external ? fileOf(tensor) : undefined;
    if (file !== undefined) names.add(file);
  }
  return names;
}

/** A whole number from `external_data`; undefined when it is none. */
function numberOf({ external }: OnnxTensor, key: string, missing: number): number | undefined {
  const text = external?.get(key);
  if (text === undefined || text === "") return missing;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}

/** The files with values of tensors, and what was odd about them. */
export class ExternalData {
  readonly #model: string;
  readonly #beside: FilesBeside;
  readonly #couldOpen: boolean;

  private constructor(model: string, beside: FilesBeside, couldOpen: boolean) {
    this.#model = model;
    this.#beside = beside;
    this.#couldOpen = couldOpen;
  }

  /**
   * Opens the files that tensors have their values in: only those that lie beside the model or in a folder there.
   *
   * @param findings gets `onnx-external-path`, `onnx-external-missing`, `onnx-external-data`, `onnx-external-checksum`.
   * @throws {CheckpointLoadError} LIMIT_EXCEEDED, and what opening a file throws
   * @see https://github.com/onnx/onnx/blob/main/docs/ExternalData.md
   */
  static *open(
    model: string,
    tensors: readonly OnnxTensor[],
    limits: Limits,
    findings: Finding[],
    options: OpenOptions,
  ): Reading<ExternalData> {
    const external = tensors.filter((tensor) => tensor.external);
    const names = dataFiles(external);
    const outside = external.filter((tensor) => fileOf(tensor) === undefined);
    for (const tensor of outside.slice(0, FINDINGS_LISTED)) {
      const message = `The values of ${quoted(tensor.name)} are said to be in ${quoted(tensor.external?.get("location") ?? "")}, which is not a file beside the model: it is not opened. No exporter writes such a path.`;
      findings.push({ rule: "onnx-external-path", severity: "error", message, at: tensor.name });
    }
    const couldOpen = canOpenBeside(options);
    const beside = yield* openBeside(names, model, limits, options);
    if (names.size > 0 && !couldOpen) {
      const [first = ""] = names;
      const message = `Values of ${external.length} tensors are in ${names.size === 1 ? `the file ${quoted(first)}` : `${names.size} other files, the first of them ${quoted(first)}`}, which was not opened.`;
      findings.push({ rule: "onnx-external-data", severity: "info", message });
    }
    for (const file of beside.missing.slice(0, FINDINGS_LISTED)) {
      const message = `The file ${quoted(file)} is missing: the tensors that have their values in it cannot be read.`;
      findings.push({ rule: "onnx-external-missing", severity: "error", message, at: file });
    }
    const summed = external.filter((tensor) => tensor.external?.has("checksum")).length;
    if (summed > 0) {
      const message = `${summed} tensors have a SHA-1 of their data file recorded, which is not checked here.`;
      findings.push({ rule: "onnx-external-checksum", severity: "info", message });
    }
    return new ExternalData(model, beside, couldOpen);
  }

  /** Bytes of the files that are open. */
  get byteLength(): number {
    return [...this.#beside.files.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** The values of a tensor: its bytes, and where they begin in their file. What cannot be had throws when it is read. */
  bytesOf(tensor: OnnxTensor, byteLength: number, findings: Finding[]): { bytes: ByteSource; fileOffset?: number } {
    const { name } = tensor;
    const location = tensor.external?.get("location") ?? "";
    const without = (why: string): { bytes: ByteSource } => ({
      bytes: unreadableSource(byteLength, name, () => unreachable(this.#model, name, why, location)),
    });
    const broken = (why: string): { bytes: ByteSource } => {
      findings.push({ rule: "onnx-external-place", severity: "error", message: `The values of ${quoted(name)}: ${why}.`, at: name });
      return without(why);
    };
    const file = fileOf(tensor);
    if (file === undefined) return without(`they are said to be in ${quoted(location)}, which is not a file beside the model`);
    const start = numberOf(tensor, "offset", 0);
    const length = numberOf(tensor, "length", byteLength);
    if (start === undefined || length === undefined) return broken("offset or length of their place is no number");
    if (length < byteLength) return broken(`${length} bytes are kept for them in ${quoted(file)}, and their shape needs ${byteLength}`);
    const source = this.#beside.files.get(file);
    if (!source) return without(`they are in ${quoted(file)}, which ${this.#couldOpen ? "is missing" : "was not opened"}`);
    if (start + byteLength > source.size) {
      return broken(`they should end at ${start + byteLength} of ${quoted(file)}, which has ${source.size} bytes: it is cut off`);
    }
    return { bytes: sliceSource(source, start, start + byteLength, `${source.name}#${name}`), fileOffset: start };
  }

  close(): Promise<void> {
    return this.#beside.close();
  }
}
