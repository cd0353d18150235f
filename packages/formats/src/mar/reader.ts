import {
  type ByteSource,
  type Checkpoint,
  CheckpointLoadError,
  checkLimit,
  type Finding,
  type FormatReader,
  finish,
  type Json,
  type OpenOptions,
  withLimits,
} from "@ckptkit/core";
import { openMember } from "../nested/open-member.js";
import { pt2Reader } from "../pt2/reader.js";
import { torchLegacyReader } from "../torch/legacy-reader.js";
import { torchZipReader } from "../torch/zip-reader.js";
import { torchScriptReader } from "../torchscript/reader.js";
import { checkpointOfTree } from "../tree-checkpoint.js";
import { readZip, type ZipArchive } from "../zip/archive.js";
import { marSignature } from "./signature.js";

/** Opens model archives of TorchServe. */
export const marReader: FormatReader = { ...marSignature, open: openMar };

const MANIFEST = "MAR-INF/MANIFEST.json";
/** What the model file of an archive may be. */
const MODEL_READERS = [torchZipReader, torchScriptReader, pt2Reader, torchLegacyReader];

/**
 * Opens a `.mar` archive: the model file that its manifest names. The manifest stands in `metadata.manifest`; the handler's code is not
 * looked at.
 *
 * @throws {CheckpointLoadError} ZIP_*, TORCH_*, UNSUPPORTED_FORMAT, LIMIT_EXCEEDED, and what opening the model file throws
 * @see https://github.com/pytorch/serve/blob/master/model-archiver/README.md
 * @example const checkpoint = await openMar(blobSource(file));
 */
export async function openMar(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  const archive = await finish(readZip(source, withLimits(options.limits), options));
  const findings: Finding[] = [...archive.findings];
  const manifest = await readManifest(archive, findings, options);
  const file = serializedFile(manifest);
  const entry = file === undefined ? undefined : archive.entries.get(file);
  const inner =
    entry && entry.byteLength > 0
      ? await openMember(archive.source(entry), MODEL_READERS, options)
      : withoutWeights(source, file, findings);
  return {
    ...inner,
    uri: source.name,
    format: "mar",
    byteLength: source.size,
    metadata: { ...inner.metadata, manifest },
    findings: [...findings, ...inner.findings],
    close: async () => source.close?.(),
  };
}

/** An archive whose weights come from elsewhere, as its handler has it. */
function withoutWeights(source: ByteSource, file: string | undefined, findings: Finding[]): Checkpoint {
  const why = file === undefined ? "Its manifest names no model file" : `Its model file ${JSON.stringify(file)} is empty or missing`;
  findings.push({ rule: "mar-no-weights", severity: "warning", message: `${why}: there are no tensors in the archive.`, at: MANIFEST });
  return checkpointOfTree({ kind: "map", type: "dict", entries: [] }, { uri: source.name });
}

async function readManifest(archive: ZipArchive, findings: Finding[], options: OpenOptions): Promise<Json> {
  const entry = archive.entries.get(MANIFEST);
  if (!entry) {
    throw new CheckpointLoadError("UNSUPPORTED_FORMAT", `${archive.name} is a zip archive, but not of TorchServe: it has no ${MANIFEST}.`, {
      details: { members: [...archive.entries.keys()].slice(0, 20) },
    });
  }
  checkLimit(withLimits(options.limits), "headerBytes", entry.byteLength, `${MANIFEST} of ${archive.name}`);
  const [bytes = new Uint8Array(0)] = await archive.readAll([entry], findings, options);
  try {
    // JSON.parse gives JSON.
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.slice())) as Json;
  } catch (cause) {
    throw new CheckpointLoadError("TORCH_CORRUPT", `${MANIFEST} of ${archive.name} is not valid JSON.`, { cause });
  }
}

/** `model.serializedFile` of a manifest. */
function serializedFile(manifest: Json): string | undefined {
  const { model } = isObject(manifest) ? manifest : {};
  const { serializedFile: file } = isObject(model) ? model : {};
  return typeof file === "string" ? file : undefined;
}

const isObject = (json: Json | undefined): json is { readonly [key: string]: Json } =>
  typeof json === "object" && json !== null && !Array.isArray(json);
