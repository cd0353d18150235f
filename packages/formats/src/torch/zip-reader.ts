import {
  type ByteSource,
  type Bytes,
  type Checkpoint,
  CheckpointLoadError,
  checkLimit,
  type Finding,
  type FormatReader,
  finish,
  finishSync,
  type OpenOptions,
  type Reading,
  withLimits,
} from "@ckptkit/core";
import { readPickle } from "@ckptkit/pickle";
import { readZip, type ZipArchive } from "../zip/archive.js";
import { SIGNATURE, viewOf, zipError } from "../zip/records.js";
import { torchCheckpoint } from "./checkpoint.js";
import { ZipStorages } from "./zip-storages.js";

/** Opens the zip archives of torch.save since 1.6. */
export const torchZipReader: FormatReader = {
  format: "torch-zip",
  matches: ({ head }) => head.length >= 4 && viewOf(head).getUint32(0, true) === SIGNATURE.local,
  open: openTorchZip,
  openSync: (source, options) => finishSync(readTorchZip(source, options)),
};

/** The record `byteorder` holds a word. */
const MOST_BYTEORDER_BYTES = 64;

/**
 * Opens a torch zip archive from its directory and its main pickle: in three reads, or in two where the directory is within
 * 64 KiB of the end.
 *
 * @throws {CheckpointLoadError} ZIP_*, PICKLE_*, TORCH_*, TENSOR_OUT_OF_BOUNDS, UNSUPPORTED_FORMAT, LIMIT_EXCEEDED
 * @see https://pytorch.org/docs/stable/notes/serialization.html#file-format-of-torch-save
 * @example const checkpoint = await openTorchZip(blobSource(file));
 */
export async function openTorchZip(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  return finish(readTorchZip(source, options));
}

function* readTorchZip(source: ByteSource, options: OpenOptions): Reading<Checkpoint> {
  const limits = withLimits(options.limits);
  const archive = yield* readZip(source, limits, options);
  const findings: Finding[] = [...archive.findings];
  const root = findRoot(archive, findings);
  const main = archive.entries.get(`${root}/data.pkl`);
  if (!main) throw notTorch(archive);
  checkLimit(limits, "pickleBytes", main.byteLength, `data.pkl of ${source.name}`);
  const order = archive.entries.get(`${root}/byteorder`);
  if (order && order.byteLength > MOST_BYTEORDER_BYTES) {
    throw zipError(source.name, `the record ${order.name} has ${order.byteLength} bytes, not a word`);
  }
  const [bytes = new Uint8Array(0), word] = yield* archive.readingAll(order ? [main, order] : [main], findings, options);
  const bigEndian = isBigEndian(word, source.name);
  const pickle = readPickle(bytes, { limits });
  if (pickle.end < bytes.length) {
    findings.push({
      rule: "pickle-trailing-data",
      severity: "warning",
      message: `${bytes.length - pickle.end} bytes follow the end of the pickle.`,
      at: main.name,
    });
  }
  findings.push(...pickle.findings, ...contentFindings(archive, root));
  const storages = new ZipStorages(archive, root, bigEndian);
  const checkpoint = torchCheckpoint({
    source,
    format: "torch-zip",
    value: pickle.value,
    findStorage: storages.find,
    limits,
    findings,
  });
  return { ...checkpoint, findings: [...findings, ...storages.findings(main.crc32 !== 0)] };
}

/** Writers before 2.1 do not record the byte order; they were little-endian. */
function isBigEndian(record: Bytes | undefined, name: string): boolean {
  const order = record === undefined ? "little" : new TextDecoder().decode(record.slice()).trim();
  if (order !== "little" && order !== "big") throw zipError(name, `its byteorder record says ${JSON.stringify(order)}`);
  return order === "big";
}

/**
 * The one folder that holds all records. What lies in other folders is not torch's, which is a finding.
 *
 * @throws {CheckpointLoadError} ZIP_CORRUPT when two folders hold a checkpoint
 */
function findRoot(archive: ZipArchive, findings: Finding[]): string {
  const folderOf = (name: string): string => name.slice(0, Math.max(0, name.indexOf("/")));
  const folders = new Set([...archive.entries.keys()].map(folderOf));
  const [root, other] = [...folders].filter((folder) => archive.entries.has(`${folder}/data.pkl`));
  if (root === undefined) return "";
  if (other !== undefined) {
    throw zipError(archive.name, `it holds two checkpoints, ${JSON.stringify(root)} and ${JSON.stringify(other)}`);
  }
  if (folders.size > 1) {
    const strangers = [...archive.entries.keys()].filter((name) => folderOf(name) !== root);
    findings.push({
      rule: "torch-second-root",
      severity: "warning",
      message: `${strangers.length} members lie outside of the folder ${JSON.stringify(root)}, the first of them ${JSON.stringify(strangers[0])}: torch refuses that.`,
    });
  }
  return root;
}

/** What the archive holds besides a pickle and its storages. */
function contentFindings(archive: ZipArchive, root: string): Finding[] {
  if (!archive.entries.has(`${root}/constants.pkl`)) return [];
  const message = "This is a TorchScript program: its code was not looked at.";
  return [{ rule: "torchscript", severity: "info", message, at: `${root}/constants.pkl` }];
}

function notTorch(archive: ZipArchive): CheckpointLoadError {
  const names = [...archive.entries.keys()];
  const listed = names.length === 0 ? "" : `: ${names.slice(0, 5).join(", ")}${names.length > 5 ? " ..." : ""}`;
  return new CheckpointLoadError(
    "UNSUPPORTED_FORMAT",
    `${archive.name} is a zip archive, but not of torch.save: none of its ${names.length} members is a data.pkl${listed}.`,
    { details: { members: names.slice(0, 20) } },
  );
}
