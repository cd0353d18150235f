import { mkdirSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { type FuzzCase, takeCase } from "./fuzz-case.js";
import { bundleInstrumented } from "./instrument.js";
import { inRepository } from "./repository.js";
import type { Answer, Job } from "./worker.js";

/** An execution that goes on for this long is ended. */
const HANG_MS = 20_000;
const HEAP_MB = 768;
/** Room for one input. */
const CASE_BYTES = 4 * 1024 * 1024;

/** What came of a job: the worker's answer, or the input on which it had to be ended or ended by itself. */
export type Outcome = Answer | { readonly kind: "lost"; readonly input: FuzzCase | undefined; readonly what: string };

/** Runs jobs in a thread that is ended when one input takes for ever or all memory, and started anew for the next. */
export class Supervisor {
  readonly #bundle: string;
  #worker: Worker | undefined;
  readonly #ticks = new Int32Array(new SharedArrayBuffer(4));
  readonly #memory = new Uint8Array(new SharedArrayBuffer(CASE_BYTES));

  private constructor(bundle: string) {
    this.#bundle = bundle;
  }

  /** Bundles everything with its counters first. */
  static async start(): Promise<Supervisor> {
    const folder = inRepository(".cache/fuzz");
    mkdirSync(folder, { recursive: true });
    const bundle = `${folder}/worker-${process.pid}.mjs`;
    await bundleInstrumented(inRepository("fuzz/src/worker.ts"), bundle);
    return new Supervisor(bundle);
  }

  async run(job: Job): Promise<Outcome> {
    const worker = this.#ready();
    let seen = Atomics.load(this.#ticks, 0);
    const before = seen;
    let since = performance.now();
    return new Promise((resolve) => {
      const watch = setInterval(() => {
        const now = Atomics.load(this.#ticks, 0);
        if (now !== seen) {
          seen = now;
          since = performance.now();
        } else if (now !== before && performance.now() - since > HANG_MS) lose(`Went on for more than ${HANG_MS / 1000} s.`);
      }, 250);
      const done = (outcome: Outcome): void => {
        clearInterval(watch);
        worker.off("message", done);
        worker.off("error", onError);
        worker.off("exit", onExit);
        resolve(outcome);
      };
      const lose = (what: string): void => {
        this.#worker = undefined;
        void worker.terminate();
        done({ kind: "lost", input: seen === before ? undefined : takeCase(this.#memory), what });
      };
      const onError = (error: Error): void => lose(error.stack ?? error.message);
      const onExit = (): void => lose("The thread came to an end.");
      worker.once("message", done);
      worker.once("error", onError);
      worker.once("exit", onExit);
      worker.postMessage(job);
    });
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
    this.#worker = undefined;
  }

  #ready(): Worker {
    this.#worker ??= new Worker(pathToFileURL(this.#bundle), {
      workerData: { ticks: this.#ticks, memory: this.#memory },
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
      env: { ...process.env, CKPTKIT_ROOT: inRepository("").replace(/\/$/, "") },
    });
    return this.#worker;
  }
}
