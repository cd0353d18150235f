import {
  type ByteSource,
  type Checkpoint,
  CheckpointLoadError,
  checkLimit,
  type Finding,
  type FormatReader,
  type Limits,
  type OpenOptions,
  Storage,
  sliceSource,
  withLimits,
} from "@ckptkit/core";
import { readPickle } from "@ckptkit/pickle";
import { openZip, type ZipArchive } from "../zip/archive.js";
import type { ZipEntry } from "../zip/directory.js";
import { SIGNATURE, viewOf, zipError } from "../zip/records.js";
import { torchCheckpoint } from "./checkpoint.js";
import type { FindStorage } from "./tree-builder.js";

/** Opens the zip archives of torch.save since 1.6. */
export const torchZipReader: FormatReader = {
  format: "torch-zip",
  matches: ({ head }) => head.length >= 4 && viewOf(head).getUint32(0, true) === SIGNATURE.local,
  open: openTorchZip,
};

/** Records that are read beside the main pickle; small, and most of them next to it. */
const SMALL_RECORDS = ["byteorder", "version", ".format_version", ".storage_alignment"] as const;
const SMALL_RECORD_BYTES = 1024;

/**
 * Opens a torch zip archive from its directory and its main pickle.
 *
 * @throws {CheckpointLoadError} ZIP_*, PICKLE_*, TORCH_*, TENSOR_OUT_OF_BOUNDS, UNSUPPORTED_FORMAT, LIMIT_EXCEEDED
 * @see https://pytorch.org/docs/stable/notes/serialization.html#file-format-of-torch-save
 */
export async function openTorchZip(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  const limits = withLimits(options.limits);
  const findings: Finding[] = [];
  const archive = await openZip(source, limits, options);
  const root = findRoot(archive, source.name);
  const record = (name: string): ZipEntry | undefined => archive.entries.get(`${root}/${name}`);
  const main = record("data.pkl");
  if (!main) throw notTorch(archive, source.name);
  checkLimit(limits, "pickleBytes", main.byteLength, `data.pkl of ${source.name}`);

  const small = new Map<string, string>();
  for (const name of SMALL_RECORDS) {
    const entry = record(name);
    if (!entry) continue;
    if (entry.byteLength > SMALL_RECORD_BYTES)
      throw zipError(source.name, `the record ${entry.name} has ${entry.byteLength} bytes, where a word was expected`);
    small.set(name, new TextDecoder().decode((await archive.read(entry, findings, options)).slice()).trim());
  }
  const byteOrder = small.get("byteorder") ?? "little"; // writers before 2.1 do not say, and were little-endian
  if (byteOrder !== "little" && byteOrder !== "big") throw zipError(source.name, `its byteorder record says ${JSON.stringify(byteOrder)}`);

  const bytes = await archive.read(main, findings, options);
  const pickle = readPickle(bytes, { limits });
  if (pickle.end < bytes.length) {
    findings.push({
      rule: "pickle-trailing-data",
      severity: "warning",
      message: `${bytes.length - pickle.end} bytes follow the end of the pickle.`,
      at: main.name,
    });
  }
  const findStorage = storagesOf(archive, root, byteOrder === "big", findings, limits);
  return torchCheckpoint({
    source,
    format: "torch-zip",
    value: pickle.value,
    findStorage,
    limits,
    findings: [...findings, ...pickle.findings],
  });
}

/** The one folder that holds all records. @throws {CheckpointLoadError} ZIP_CORRUPT when there are several */
function findRoot(archive: ZipArchive, name: string): string {
  const roots = new Set(
    [...archive.entries.keys()].filter((entry) => entry.includes("/")).map((entry) => entry.slice(0, entry.indexOf("/"))),
  );
  const [root, other] = [...roots].filter((folder) => archive.entries.has(`${folder}/data.pkl`));
  if (root !== undefined && other !== undefined)
    throw zipError(name, `it holds two checkpoints, in the folders ${JSON.stringify(root)} and ${JSON.stringify(other)}`);
  return root ?? [...roots][0] ?? "";
}

function notTorch(archive: ZipArchive, name: string): CheckpointLoadError {
  const entries = [...archive.entries.keys()];
  return new CheckpointLoadError(
    "UNSUPPORTED_FORMAT",
    `${name} is a zip archive, but not of torch.save: it has no data.pkl. It holds ${entries.length} members: ${entries.slice(0, 5).join(", ")}${entries.length > 5 ? " ..." : ""}.`,
    {
      details: { members: entries.slice(0, 20) },
    },
  );
}

/** Looks storages up among the records `data/<key>`. */
function storagesOf(archive: ZipArchive, root: string, bigEndian: boolean, findings: Finding[], limits: Limits): FindStorage {
  const storages = new Map<string, Storage>();
  let unwritten = 0;
  return ({ key, byteLength, view }) => {
    const id = view ? `${key}[${view.start}:${view.end}]` : key;
    const known = storages.get(id);
    const name = `${root}/data/${key}`;
    const entry = archive.entries.get(name);
    if (!entry) {
      throw new CheckpointLoadError(
        "TORCH_STORAGE_MISSING",
        `A tensor's storage "${key}" should be the record ${name} of ${archive.name}, which is not there.`,
        {
          details: { record: name },
          suggestions: ["The file was not written to its end, or a tool that does not know torch's records has re-packed it."],
        },
      );
    }
    if (entry.byteLength !== byteLength) {
      throw new CheckpointLoadError(
        "TORCH_STORAGE_SIZE",
        `The storage "${key}" of ${archive.name} has ${entry.byteLength} bytes, but its tensors say ${byteLength}.`,
        {
          details: { record: name, expected: byteLength, found: entry.byteLength },
          suggestions: ["The file is damaged or was made to mislead; current torch refuses it as well."],
        },
      );
    }
    if (known) return known;
    if (entry.crc32 === 0 && byteLength > 0) unwritten++;
    if (unwritten === 1 && !findings.some(({ rule }) => rule === "no-crc")) {
      findings.push({
        rule: "no-crc",
        severity: "info",
        message: "The archive records no CRC-32 for its storages, so damage to their bytes cannot be seen.",
        at: name,
      });
    }
    const bytes = archive.source(entry);
    const storage = new Storage({
      id,
      bytes: view ? sliceSource(bytes, view.start, view.end) : bytes,
      // In file order, near enough: where its header begins.
      fileOffset: entry.headerStart,
      bigEndian,
      ...(entry.crc32 === 0 || view ? {} : { crc32: entry.crc32 }),
    });
    checkLimit(limits, "tensors", storages.size, `Storages of ${archive.name}`);
    storages.set(id, storage);
    return storage;
  };
}
