import {
  type ByteSource,
  type Bytes,
  CheckpointLoadError,
  checkLimit,
  type Finding,
  type Limits,
  type OpenOptions,
  type Reading,
} from "@ckptkit/core";
import { type PickleValue, readPickle } from "@ckptkit/pickle";
import { readZip, type ZipArchive } from "../zip/archive.js";
import { zipError } from "../zip/records.js";
import { torchError } from "./build-context.js";

/** A zip archive that has the records of torch.save. */
export interface TorchArchive {
  readonly archive: ZipArchive;
  /** The folder of all records. */
  readonly root: string;
  /** What was odd about the archive so far; readers add to it. */
  readonly findings: Finding[];
}

/** The record `byteorder` holds a word. */
const MOST_BYTEORDER_BYTES = 64;

/**
 * Reads the directory of an archive and finds the one folder with a `data.pkl`.
 *
 * @throws {CheckpointLoadError} ZIP_*, LIMIT_EXCEEDED; UNSUPPORTED_FORMAT when there is none
 */
export function* openTorchArchive(source: ByteSource, limits: Limits, options: OpenOptions): Reading<TorchArchive> {
  const archive = yield* readZip(source, limits, options);
  const findings: Finding[] = [...archive.findings];
  const root = findRoot(archive, findings);
  if (!archive.entries.has(`${root}/data.pkl`)) throw notTorch(archive);
  return { archive, root, findings };
}

/** Whether the archive is a program of TorchScript: those hold constants. */
export const isTorchScript = ({ archive, root }: TorchArchive): boolean => archive.entries.has(`${root}/constants.pkl`);

/**
 * Reads pickles of an archive, and the byte order of its storages with them.
 *
 * @param records names under the root folder; they must be there.
 * @throws {CheckpointLoadError} ZIP_CORRUPT, TORCH_CORRUPT, PICKLE_*, LIMIT_EXCEEDED
 */
export function* readPickles(
  { archive, root, findings }: TorchArchive,
  records: readonly string[],
  limits: Limits,
  options: OpenOptions,
): Reading<{ values: PickleValue[]; bigEndian: boolean }> {
  const wanted = records.flatMap((record) => archive.entries.get(`${root}/${record}`) ?? []);
  for (const { name, byteLength } of wanted) {
    checkLimit(limits, "pickleBytes", byteLength, `${name.slice(root.length + 1)} of ${archive.name}`);
  }
  const order = archive.entries.get(`${root}/byteorder`);
  if (order && order.byteLength > MOST_BYTEORDER_BYTES) {
    throw torchError(`The record ${JSON.stringify(order.name)} of ${archive.name} should be a word; it has ${order.byteLength} bytes.`);
  }
  const read = yield* archive.readingAll(order ? [...wanted, order] : wanted, findings, options);
  const bigEndian = isBigEndian(read[wanted.length], archive.name);
  const values = wanted.map(({ name }, index) => {
    const bytes = read[index] ?? new Uint8Array(0);
    const pickle = readPickle(bytes, { limits });
    if (pickle.end < bytes.length) {
      findings.push({
        rule: "pickle-trailing-data",
        severity: "warning",
        message: `${bytes.length - pickle.end} bytes follow the end of the pickle.`,
        at: name,
      });
    }
    findings.push(...pickle.findings);
    return pickle.value;
  });
  return { values, bigEndian };
}

/** Writers before 2.1 do not record the byte order; they were little-endian. */
function isBigEndian(record: Bytes | undefined, name: string): boolean {
  const order = record === undefined ? "little" : new TextDecoder().decode(record.slice()).trim();
  if (order !== "little" && order !== "big") {
    throw torchError(`The record "byteorder" of ${name} should say "little" or "big"; it says ${JSON.stringify(order.slice(0, 40))}.`, {
      found: order.slice(0, 40),
    });
  }
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

function notTorch(archive: ZipArchive): CheckpointLoadError {
  const names = [...archive.entries.keys()];
  const listed = names.length === 0 ? "" : `: ${names.slice(0, 5).join(", ")}${names.length > 5 ? " ..." : ""}`;
  return new CheckpointLoadError(
    "UNSUPPORTED_FORMAT",
    `${archive.name} is a zip archive, but not of torch.save: none of its ${names.length} members is a data.pkl${listed}.`,
    { details: { members: names.slice(0, 20) } },
  );
}
