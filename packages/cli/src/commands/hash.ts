import type { HashAlgorithm, KernelPool } from "@ckptkit/core";
import { CheckpointConfigError } from "@ckptkit/core";
import { hashSource, hashTensors } from "@ckptkit/inspect";
import { nodePlatform } from "@ckptkit/node";
import type { CommandContext, CommonFlags } from "../command-context.js";
import type { LimitFlags } from "../limit-option.js";
import { checkUri, open } from "../open.js";
import { EXIT } from "../output/errors.js";
import { warnOfFindings } from "../output/findings.js";
import { writeJson } from "../output/json.js";
import { printable } from "../output/printable.js";
import { showProgress } from "../output/progress.js";
import { paceText, plural } from "../output/sizes.js";
import { poolFor } from "../threads.js";
import { Timings } from "../timings.js";
import type { WorkersFlags } from "../workers-option.js";

/** What `ckpt hash` takes. */
export interface HashFlags extends CommonFlags, LimitFlags, WorkersFlags {
  algorithm: HashAlgorithm;
  tensors?: boolean;
  filter?: string;
  /** False with --no-crc. */
  crc: boolean;
}

/** Digests of a file, or of every tensor in it. */
export async function hash(uri: string, flags: HashFlags, context: CommandContext): Promise<number> {
  checkUri(uri);
  if (flags.tensors) return hashEachTensor(uri, flags, context);
  if (flags.filter === undefined) {
    if ((flags.workers ?? 0) < 2) return hashFile(uri, flags, context);
    throw new CheckpointConfigError(
      "INVALID_ARGUMENT",
      "--workers shares tensors among threads, and without --tensors the whole file is hashed, byte after byte.",
      {
        suggestions: ["Add --tensors.", "Leave --workers out."],
      },
    );
  }
  throw new CheckpointConfigError("INVALID_ARGUMENT", "--filter chooses tensors, and without --tensors the whole file is hashed.", {
    suggestions: ["Add --tensors."],
  });
}

async function hashFile(uri: string, { algorithm, crc, json, verbose }: HashFlags, { out, err, signal }: CommandContext): Promise<number> {
  const timings = new Timings();
  const platform = nodePlatform();
  const [source, kernels] = await Promise.all([platform.open(uri, { signal }), platform.kernels()]);
  timings.lap("open");
  const progress = showProgress(err);
  try {
    const options = { kernels, algorithm, checkCrc: crc, signal, onProgress: progress.onProgress };
    const { byteLength, digest } = await hashSource(source, options).finally(progress.stop);
    const ms = timings.lap("hash");
    if (json) writeJson(out, { uri: source.name, algorithm, byteLength, digest });
    else out.write(`${digest}  ${printable(source.name)}\n`);
    if (verbose) {
      err.write(`${algorithm} of ${plural(byteLength, "byte")} in ${paceText(byteLength, ms)}\n`);
      timings.write(err);
    }
    return EXIT.good;
  } finally {
    await source.close?.();
  }
}

async function hashEachTensor(uri: string, flags: HashFlags, context: CommandContext): Promise<number> {
  const { out, err, signal } = context;
  const { algorithm } = flags;
  const timings = new Timings();
  const { checkpoint } = await open(uri, context, flags.limit);
  timings.lap("open");
  let pool: KernelPool | undefined;
  try {
    const select = flags.filter === undefined ? undefined : (await import("../select.js")).selection(checkpoint, flags.filter);
    const [kernels, threads] = await Promise.all([nodePlatform().kernels(), poolFor(flags, checkpoint, select)]);
    pool = threads;
    timings.lap(`load ${kernels.name} kernels${pool ? ", start threads" : ""}`);
    const progress = showProgress(err);
    const options = { kernels, pool, algorithm, select, checkCrc: flags.crc, signal, onProgress: progress.onProgress };
    const { tensors } = await hashTensors(checkpoint, options).finally(progress.stop);
    timings.lap(pool ? `hash with ${pool.size} threads` : "hash");
    if (flags.json) writeJson(out, { uri: checkpoint.uri, algorithm, tensors, findings: checkpoint.findings });
    else {
      warnOfFindings(checkpoint.findings, err, flags.verbose ?? false);
      for (const { path, digest } of tensors) out.write(`${digest}  ${printable(path) || '""'}\n`);
      const without = checkpoint.tensors.filter((tensor) => !tensor.storage && (!select || select(tensor))).length;
      if (without > 0) err.write(`${plural(without, "tensor")} without bytes in the file: not hashed\n`);
    }
    if (flags.verbose) timings.write(err);
    return EXIT.good;
  } finally {
    pool?.close();
    await checkpoint.close();
  }
}
