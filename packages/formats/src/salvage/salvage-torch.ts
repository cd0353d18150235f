import {
  type ByteSource,
  CheckpointError,
  CheckpointLoadError,
  type Finding,
  finish,
  type Kernels,
  type Limits,
  type OperationOptions,
  type Storage,
} from "@ckptkit/core";
import type { FindStorage, StorageRequest } from "../torch/build-context.js";
import { torchCheckpoint } from "../torch/checkpoint.js";
import { readPickles } from "../torch/torch-archive.js";
import { ZipStorages } from "../torch/zip-storages.js";
import { archiveOf } from "../zip/archive.js";
import { type BadMember, type CheckedMembers, checkMembers } from "./check-members.js";
import { lostStorage } from "./lost-storage.js";
import type { Loss, Salvaged } from "./salvaged.js";

/** Letters of the word in the record `byteorder`: its length alone tells which one it was. */
const BIG_BYTES = "big".length;

/**
 * Reads a damaged archive of torch.save: its pickle by the reader's own means, and those storages that are whole.
 *
 * @throws {CheckpointLoadError} NOTHING_SAVED when the pickle is lost, and what reading it throws
 */
export async function salvageTorch(source: ByteSource, kernels: Kernels, limits: Limits, options: OperationOptions): Promise<Salvaged> {
  const members = await checkMembers(source, kernels, limits, options);
  const root = rootOf(source.name, members);
  const findings: Finding[] = [...members.findings];
  const archive = archiveOf(source, [...members.good.values()], findings, limits);
  const { values, bigEndian } = await finish(readPickles({ archive, root, findings }, ["data.pkl"], limits, options));
  const order = members.bad.get(`${root}/byteorder`);
  if (order && order.byteLength === undefined) findings.push(unknownOrder(order));
  const isBigEndian = bigEndian || order?.byteLength === BIG_BYTES;
  const storages = new Storages(source, members, new ZipStorages(archive, `${root}/data/`, isBigEndian), `${root}/data/`);
  const checkpoint = torchCheckpoint({
    source,
    format: "torch-zip",
    value: values[0] ?? null,
    findStorage: storages.find,
    limits,
    findings,
  });
  return { checkpoint: { ...checkpoint, findings }, lost: storages.lost() };
}

/** The one folder with a pickle that is whole. */
function rootOf(name: string, { good, bad }: CheckedMembers): string {
  const PICKLE = /^([^/]*)\/data\.pkl$/;
  const roots = [...good.keys()].flatMap((member) => PICKLE.exec(member)?.[1] ?? []);
  const [root] = roots;
  if (root !== undefined && roots.length === 1) {
    if (!good.has(`${root}/constants.pkl`) && !bad.has(`${root}/constants.pkl`)) return root;
    throw new CheckpointLoadError("UNSUPPORTED_FORMAT", `${name} is a program of TorchScript: those cannot be repaired.`);
  }
  const lost = [...bad.values()].find((member) => PICKLE.test(member.name));
  const why =
    roots.length > 1
      ? `it holds several checkpoints, in the folders ${roots.join(", ")}`
      : lost
        ? `${lost.name}, which says what the tensors are, is damaged. ${lost.why ?? "Its end is not in the file."}`
        : `no record data.pkl, which says what the tensors are, is left among ${good.size} whole records`;
  throw new CheckpointLoadError("NOTHING_SAVED", `Nothing of ${name} could be saved: ${why.replace(/\.$/, "")}.`, {
    details: { records: [...good.keys()].slice(0, 20) },
    suggestions: ["Fetch the file again, or look for an older checkpoint."],
  });
}

const unknownOrder = ({ name }: BadMember): Finding => ({
  rule: "torch-byteorder-lost",
  severity: "warning",
  message: "The record of the byte order is lost. The tensors were taken to be little-endian, as on nearly all machines.",
  at: name,
});

/** Storages of an archive of which some are lost. */
class Storages {
  readonly #whole = new Map<Storage, { headerStart: number; request: StorageRequest }>();
  readonly #lost = new Map<Storage, { loss: Loss; start: number | undefined; byteLength: number }>();
  readonly #placeholders = new Map<string, Storage>();

  constructor(
    readonly source: ByteSource,
    readonly members: CheckedMembers,
    readonly archived: ZipStorages,
    readonly folder: string,
  ) {}

  readonly find: FindStorage = (request) => {
    try {
      const storage = this.archived.find(request);
      const headerStart = this.members.good.get(`${this.folder}${request.key}`)?.headerStart ?? 0;
      this.#whole.set(storage, { headerStart, request });
      return storage;
    } catch (error) {
      if (!(error instanceof CheckpointError) || !error.code.startsWith("TORCH_STORAGE_")) throw error;
      return this.#placeholder(request, error);
    }
  };

  #placeholder(request: StorageRequest, error: CheckpointError): Storage {
    const { key, byteLength } = request;
    const id = `${key} (${byteLength} bytes)`;
    const known = this.#placeholders.get(id);
    if (known) return known;
    const bad = this.members.bad.get(`${this.folder}${key}`);
    const loss = error.code === "TORCH_STORAGE_SIZE" ? damaged(error.message) : lossOf(request, bad, this.source, `${this.folder}${key}`);
    const storage = lostStorage(key, byteLength, loss);
    this.#placeholders.set(id, storage);
    if (byteLength > 0) this.#lost.set(storage, { loss, start: bad?.dataStart, byteLength });
    return storage;
  }

  /** What is lost, once all storages have been asked for. */
  lost(): ReadonlyMap<Storage, Loss> {
    const lost = new Map([...this.#lost].map(([storage, { loss }]) => [storage, loss]));
    // A file within a tensor, the end of which is lost, looks like records of this one.
    const holes = [...this.#lost.values()].flatMap(({ start, byteLength }) => (start === undefined ? [] : [{ start, byteLength }]));
    holes.sort((a, b) => a.start - b.start);
    let next = 0;
    let reach = 0;
    for (const [storage, { headerStart }] of [...this.#whole].sort(([, a], [, b]) => a.headerStart - b.headerStart)) {
      for (let hole = holes[next]; hole && hole.start <= headerStart; hole = holes[++next]) {
        reach = Math.max(reach, hole.start + hole.byteLength);
      }
      if (headerStart < reach) lost.set(storage, damaged(`The record of the storage "${storage.id}" lies within one that is damaged.`));
    }
    return lost;
  }
}

const damaged = (message: string): Loss => ({ kind: "damaged", message });

function lossOf({ byteLength }: StorageRequest, bad: BadMember | undefined, source: ByteSource, record: string): Loss {
  if (!bad) return { kind: "missing", message: `The record ${record} is not in what is left of the file.` };
  if (bad.why !== undefined) return damaged(bad.why);
  const there = source.size - (bad.dataStart ?? source.size);
  if (there < byteLength) {
    return { kind: "cut-off", message: `The file ends within the record ${record}: ${there} of ${byteLength} bytes are there.` };
  }
  return damaged(`What follows the record ${record} is cut off or overwritten, so that nothing shows whether its bytes are whole.`);
}
