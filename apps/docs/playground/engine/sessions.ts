import { type ByteSource, type Checkpoint, CheckpointError, type OperationOptions, type ReadCounts } from "@ckptkit/core";
import { TensorColumns } from "./columns.js";
import { ModuleIndex } from "./module-index.js";

/** Names an open checkpoint. */
export type SessionId = number;

/** Where a checkpoint came from. Only `address` and `sample` can be opened again by somebody else. */
export type Origin =
  | { readonly kind: "local" }
  | { readonly kind: "sample"; readonly sample: string }
  | { readonly kind: "address"; readonly address: string; readonly hasSecret: boolean };

/** What the page knows of an open checkpoint: plain data, and small whatever the file. */
export interface SessionInfo {
  readonly id: SessionId;
  /** File name, or the address without credentials. */
  readonly name: string;
  readonly origin: Origin;
  readonly format: string;
  readonly layout: string;
  readonly byteLength: number;
  readonly tensorCount: number;
  readonly findingCount: number;
  /** From the request to open to the description, in milliseconds. */
  readonly openMs: number;
  /** What opening read. */
  readonly readsToOpen: number;
  readonly bytesToOpen: number;
}

/** NaN and infinities of one tensor, as a scan found them. */
export interface Mark {
  readonly nan: number;
  readonly inf: number;
}

/** How the files of an open checkpoint are opened once more: for what takes addresses, such as a pipeline. */
export interface Way {
  /** The address or path of the file that was opened first. */
  readonly uri: string;
  /** Whether anybody reaches that address, without the credentials that were given to open it. */
  readonly isPublic: boolean;
  open(uri: string, options: OperationOptions): Promise<ByteSource>;
}

/** An open checkpoint in the engine. */
export class Session {
  readonly id: SessionId;
  readonly checkpoint: Checkpoint;
  readonly info: SessionInfo;
  /** Reads of its files so far, in all. */
  readonly counts: ReadCounts;
  readonly way: Way;
  /** What scans found, by the tensor's place in `checkpoint.tensors`. */
  readonly marks = new Map<number, Mark>();
  #columns: TensorColumns | undefined;
  #modules: ModuleIndex | undefined;

  constructor(checkpoint: Checkpoint, info: SessionInfo, counts: ReadCounts, way: Way) {
    this.way = way;
    this.id = info.id;
    this.checkpoint = checkpoint;
    this.info = info;
    this.counts = counts;
  }

  /** The tensors' facts as columns; made when first wanted. */
  get columns(): TensorColumns {
    this.#columns ??= new TensorColumns(this.checkpoint.tensors);
    return this.#columns;
  }

  /** The tensors by module path; made when first wanted. */
  get modules(): ModuleIndex {
    this.#modules ??= new ModuleIndex(this.columns);
    return this.#modules;
  }
}

/** The checkpoints that are open: several at once, to compare them. */
export class Sessions {
  readonly #open = new Map<SessionId, Session>();
  #next = 1;

  /** Takes over an open checkpoint, which is closed with its session. */
  add(checkpoint: Checkpoint, facts: Pick<SessionInfo, "name" | "origin" | "openMs">, counts: ReadCounts, way: Way): Session {
    const info: SessionInfo = {
      ...facts,
      id: this.#next++,
      format: checkpoint.format,
      layout: checkpoint.layout,
      byteLength: checkpoint.byteLength,
      tensorCount: checkpoint.tensors.length,
      findingCount: checkpoint.findings.length,
      readsToOpen: counts.reads,
      bytesToOpen: counts.bytesRead,
    };
    const session = new Session(checkpoint, info, counts, way);
    this.#open.set(session.id, session);
    return session;
  }

  /** @throws {CheckpointError} INVALID_ARGUMENT when no such session is open */
  get(id: SessionId): Session {
    const session = this.#open.get(id);
    if (session) return session;
    throw new CheckpointError("INVALID_ARGUMENT", "This checkpoint is not open any more.", { suggestions: ["Open it again."] });
  }

  list(): SessionInfo[] {
    return this.all().map(({ info }) => info);
  }

  all(): Session[] {
    return [...this.#open.values()];
  }

  async close(id: SessionId): Promise<void> {
    const session = this.#open.get(id);
    this.#open.delete(id);
    await session?.checkpoint.close();
  }
}
