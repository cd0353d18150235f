import type { ByteSource } from "./byte-source.js";
import { errorToData } from "./error-data.js";
import type { KernelJob, KernelSource } from "./kernel-job.js";
import type { Kernels } from "./kernels.js";
import { Pauser } from "./pauser.js";
import type { PoolAnswer, PoolRequest } from "./pool-messages.js";
import { type RunPiecesOptions, runPieces } from "./run-pieces.js";

/** What a worker needs from its platform. */
export interface PoolWorkerHost {
  /** Sends a message to the pool. */
  post(answer: PoolAnswer): void;
  /** Opens what a descriptor stands for. */
  open(source: KernelSource): Promise<ByteSource>;
  /** The kernels, from the module that was sent along when there is one. */
  loadKernels(module: WebAssembly.Module | undefined): Promise<Kernels>;
  /** Takes a lock that is given up when the worker ends, so that its end is noticed. */
  hold?(lock: string): Promise<void>;
}

/** Sources that a worker keeps open at a time. */
const MAX_OPEN = 32;
/** Progress is told ten times a second: as often as a person can follow. */
const TELL_MS = 100;

/**
 * The worker's side of a pool, the same in every kind of worker: gives what is to be called with each message.
 *
 * @example
 * const receive = servePool({ post: (answer) => postMessage(answer), open, loadKernels });
 * onmessage = ({ data }) => receive(data);
 */
export function servePool(host: PoolWorkerHost): (request: PoolRequest) => void {
  const sources = new OpenSources(host.open);
  const running = new Map<number, { controller: AbortController; pauser: Pauser }>();
  let ready: Promise<Kernels> | undefined;

  const run = async (id: number, job: KernelJob, paused: boolean): Promise<void> => {
    const controller = new AbortController();
    const pauser = new Pauser();
    if (paused) pauser.pause();
    running.set(id, { controller, pauser });
    const { signal } = controller;
    const told = progress((bytes) => host.post({ type: "bytes", id, bytes }));
    try {
      const kernels = await ready;
      if (!kernels) throw new Error("A worker was given work before it was started.");
      const results = await runJob(job, sources, kernels, { signal, pauser, onBytes: told });
      host.post({ type: "done", id, results });
    } catch (error) {
      host.post({ type: "failed", id, error: errorToData(error) });
    } finally {
      running.delete(id);
    }
  };

  return (request) => {
    switch (request.type) {
      case "start":
        ready = Promise.resolve(request.lock === undefined ? undefined : host.hold?.(request.lock)).then(() =>
          host.loadKernels(request.module),
        );
        ready.then(
          () => host.post({ type: "ready" }),
          (error: unknown) => host.post({ type: "unfit", error: errorToData(error) }),
        );
        break;
      case "run":
        void run(request.id, request.job, request.paused);
        break;
      case "pause":
        running.get(request.id)?.pauser.pause();
        break;
      case "resume":
        running.get(request.id)?.pauser.resume();
        break;
      case "cancel":
        running.get(request.id)?.controller.abort();
        break;
      case "idle":
        if (running.size === 0) sources.clear();
        break;
    }
  };
}

async function runJob(job: KernelJob, sources: OpenSources, kernels: Kernels, options: RunPiecesOptions) {
  const opened = await Promise.all(job.sources.map((source) => sources.use(source)));
  try {
    const pieces = job.pieces.map((piece) => ({ ...piece, source: (opened[piece.source] as OpenSource).source })); // jobs name sources that they have
    return await runPieces(pieces, kernels, options);
  } finally {
    for (const source of opened) source.users--;
  }
}

/** Adds up what is done, and tells it every now and then. What is left at the end, the result itself tells. */
function progress(tell: (bytes: number) => void): (bytes: number) => void {
  let sum = 0;
  let toldAt = performance.now();
  return (bytes) => {
    sum += bytes;
    const now = performance.now();
    if (now - toldAt < TELL_MS) return;
    toldAt = now;
    tell(sum);
    sum = 0;
  };
}

interface OpenSource {
  readonly source: ByteSource;
  users: number;
}

/** Sources by their keys. Those that were not used for longest are closed when there are too many. */
class OpenSources {
  readonly #open: (source: KernelSource) => Promise<ByteSource>;
  readonly #byKey = new Map<string, Promise<OpenSource>>();

  constructor(open: (source: KernelSource) => Promise<ByteSource>) {
    this.#open = open;
  }

  async use(wanted: KernelSource): Promise<OpenSource> {
    const { key } = wanted;
    const opening = this.#byKey.get(key) ?? this.#open(wanted).then((source) => ({ source, users: 0 }));
    this.#byKey.delete(key);
    this.#byKey.set(key, opening);
    try {
      const open = await opening;
      open.users++;
      await this.#shrink(MAX_OPEN);
      return open;
    } catch (error) {
      if (this.#byKey.get(key) === opening) this.#byKey.delete(key);
      throw error;
    }
  }

  /** Closes all. Only while nothing runs. */
  clear(): void {
    void this.#shrink(0);
  }

  async #shrink(most: number): Promise<void> {
    for (const [key, opening] of [...this.#byKey]) {
      if (this.#byKey.size <= most) return;
      const open = await opening.catch(() => undefined);
      if (open && open.users > 0) continue;
      if (this.#byKey.get(key) !== opening) continue;
      this.#byKey.delete(key);
      await open?.source.close?.().catch(() => {});
    }
  }
}
