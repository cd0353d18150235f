import {
  type ByteSource,
  CheckpointError,
  CheckpointLoadError,
  checkLimit,
  type Finding,
  type Limits,
  type OperationOptions,
  type Storage,
  TensorHandle,
} from "@ckptkit/core";
import { quoted } from "../quoted.js";
import { decodeUtf8, LENGTH_BYTES, parseHeader } from "../safetensors/header.js";
import { checkLength, type HeaderTensor } from "../safetensors/offsets.js";
import { handlesOf, metadataToJson, treeOf } from "../safetensors/reader.js";
import { type FoundHeader, findHeader } from "./find-header.js";
import { lostStorage } from "./lost-storage.js";
import type { Loss, Salvaged } from "./salvaged.js";

/** Findings of one file that are listed one by one. */
const FINDINGS_LISTED = 100;

/**
 * Reads a damaged safetensors file: every tensor whose entry of the header is whole and whose bytes are in the file. The format
 * has no checksums, so bytes that were overwritten cannot be told.
 *
 * @throws {CheckpointLoadError} NOTHING_SAVED, LIMIT_EXCEEDED
 */
export async function salvageSafetensors(source: ByteSource, limits: Limits, options: OperationOptions): Promise<Salvaged> {
  const found = await findHeader(source, limits, options);
  const findings: Finding[] = [...found.findings];
  const { tensors, metadata } = entriesOf(source, found, limits, findings);
  const sound = withoutContradictions(source.name, tensors, findings);
  const available = source.size - found.dataStart;
  const lost = new Map<Storage, Loss>();
  const handles = sound.map((tensor) => {
    const { name, dtype, shape, begin, end } = tensor;
    if (end <= available || begin === end) {
      const place = begin === end ? { ...tensor, begin: 0, end: 0 } : tensor;
      const [handle] = handlesOf(source, { tensors: [place], metadata, dataStart: found.dataStart, findings });
      if (handle) return handle;
    }
    const there = Math.max(0, available - begin);
    const message = `The file ends ${there > 0 ? "within" : "before"} ${quoted(name)}: ${there} of its ${end - begin} bytes are there.`;
    const storage = lostStorage(name, end - begin, { kind: "cut-off", message });
    lost.set(storage, { kind: "cut-off", message });
    return new TensorHandle({ dtype, shape, storage, byteOffset: 0 }, { keys: [name], name, group: "model" });
  });
  const needed = tensors.reduce((most, { end }) => Math.max(most, end), 0);
  if (needed < available) {
    const message = `${available - needed} bytes follow the last tensor: they were left out.`;
    findings.push({ rule: "safetensors-trailing-data", severity: "warning", message });
  }
  return {
    checkpoint: {
      uri: source.name,
      format: "safetensors",
      layout: "state_dict",
      byteLength: source.size,
      tensors: handles,
      tree: treeOf(handles),
      metadata: metadataToJson(metadata),
      findings,
      close: async () => source.close?.(),
    },
    lost,
  };
}

interface Entries {
  tensors: HeaderTensor[];
  metadata: Map<string, string>;
}

/** What the header says: all of it, or those entries that are whole. */
function entriesOf({ name }: ByteSource, { bytes }: FoundHeader, limits: Limits, findings: Finding[]): Entries {
  try {
    const header = parseHeader(name, decodeUtf8(bytes, `The header of ${name}`, "SAFETENSORS_HEADER"), limits);
    findings.push(...header.findings);
    return header;
  } catch (error) {
    if (!(error instanceof CheckpointError) || error.code === "LIMIT_EXCEEDED") throw error;
    findings.push({
      rule: "safetensors-header-damaged",
      severity: "error",
      message: `${error.message} Entries before and behind the defect were read.`,
    });
  }
  // Damaged UTF-8 gives replacement characters, which no entry is allowed to hold.
  const text = new TextDecoder().decode(bytes.slice());
  const tensors = new Map<string, HeaderTensor>();
  const twice = new Set<string>();
  let metadata = new Map<string, string>();
  // An entry is a name behind "{" or ",", and an object without another one in it.
  for (const [, entry = ""] of text.matchAll(/(?<=[{,]\s*)("(?:[^"\\\ufffd]|\\.)*"\s*:\s*\{[^{}\ufffd]*\})(?=\s*[,}])/g)) {
    try {
      const part = parseHeader(name, `{${entry}}`, limits);
      if (part.metadata.size > 0) metadata = part.metadata;
      for (const tensor of part.tensors) {
        if (tensors.has(tensor.name)) twice.add(tensor.name);
        tensors.set(tensor.name, tensor);
      }
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      if (findings.length < FINDINGS_LISTED) findings.push(lostEntry(error.message));
    }
    checkLimit(limits, "tensors", tensors.size, `Tensors in ${name}`);
  }
  for (const tensor of twice) {
    tensors.delete(tensor);
    findings.push(lostEntry(`The header has the tensor ${quoted(tensor)} twice.`));
  }
  return { tensors: [...tensors.values()], metadata };
}

const lostEntry = (message: string): Finding => ({ rule: "safetensors-entry-lost", severity: "error", message });

/** Those tensors that are as long as they say, and share no bytes with another. */
function withoutContradictions(file: string, tensors: readonly HeaderTensor[], findings: Finding[]): HeaderTensor[] {
  const wrong = new Set<HeaderTensor>();
  const refuse = (tensor: HeaderTensor, message: string): void => {
    wrong.add(tensor);
    if (findings.length < FINDINGS_LISTED) findings.push(lostEntry(message));
  };
  for (const tensor of tensors) {
    try {
      checkLength(tensor, file);
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      refuse(tensor, error.message);
    }
  }
  let before: HeaderTensor | undefined;
  const filled = tensors.filter((tensor) => !wrong.has(tensor) && tensor.end > tensor.begin);
  for (const tensor of filled.sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (before && tensor.begin < before.end) {
      const message = `The tensors ${quoted(before.name)} and ${quoted(tensor.name)} of ${file} overlap: which of them is right cannot be told.`;
      if (!wrong.has(before)) refuse(before, message);
      refuse(tensor, message);
    }
    if (!before || tensor.end > before.end) before = tensor;
  }
  const sound = tensors.filter((tensor) => !wrong.has(tensor));
  if (sound.length > 0 || tensors.length === 0) return sound;
  throw new CheckpointLoadError("NOTHING_SAVED", `Nothing of ${file} could be saved: all entries of its header contradict themselves.`);
}

/** Whether a file may be safetensors, by what follows the length. */
export const beginsLikeSafetensors = (head: Uint8Array): boolean =>
  /^[ \t\r\n]*\{\s*"/.test(String.fromCharCode(...head.subarray(LENGTH_BYTES, LENGTH_BYTES + 64)));
