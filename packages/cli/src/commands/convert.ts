import { basename, dirname, join } from "node:path";
import { type CastDType, CheckpointConfigError } from "@ckptkit/core";
import { type ConvertTarget, convertCheckpoint } from "@ckptkit/inspect";
import { nodePlatform } from "@ckptkit/node";
import type { CommandContext, CommonFlags } from "../command-context.js";
import { outputsBeside, pathOf, targetOf } from "../destination.js";
import type { LimitFlags } from "../limit-option.js";
import { open } from "../open.js";
import { writeConversion } from "../output/conversion.js";
import { EXIT } from "../output/errors.js";
import { warnOfFindings } from "../output/findings.js";
import { writeJson } from "../output/json.js";
import { showProgress } from "../output/progress.js";
import { Timings } from "../timings.js";

/** What `ckpt convert` takes. */
export interface ConvertFlags extends CommonFlags, LimitFlags {
  to?: ConvertTarget;
  dtype?: CastDType | "Q8_0";
  maxShardSize?: number;
  all?: boolean;
  filter?: string;
  force?: boolean;
  /** False with --no-crc. */
  crc: boolean;
}

/** Writes a checkpoint in another format, whole or not at all. */
export async function convert(uri: string, out: string, flags: ConvertFlags, context: CommandContext): Promise<number> {
  const { err, signal } = context;
  const { all, force = false, verbose = false } = flags;
  const path = pathOf(out);
  const to = flags.to ?? targetOf(path);
  if (flags.maxShardSize !== undefined && to !== "safetensors") {
    throw new CheckpointConfigError("INVALID_ARGUMENT", `--max-shard-size is for safetensors; ${to} is always one file.`, {
      suggestions: ["Leave it out, or write safetensors: --to safetensors."],
    });
  }
  const quantize = flags.dtype === "Q8_0" ? flags.dtype : undefined;
  const dtype = flags.dtype === "Q8_0" ? undefined : flags.dtype;
  if (quantize && to !== "gguf") {
    throw new CheckpointConfigError("INVALID_ARGUMENT", `--dtype ${quantize} is a type of GGUF; ${to} cannot hold it.`, {
      suggestions: ["Write GGUF: --to gguf.", "Or choose F32, F16 or BF16."],
    });
  }
  const timings = new Timings();
  const { checkpoint, sources } = await open(uri, context, flags.limit);
  timings.lap("open");
  try {
    const select = flags.filter === undefined ? undefined : (await import("../select.js")).selection(checkpoint, flags.filter);
    const platform = nodePlatform({ sink: { overwrite: force } });
    const kernels = await platform.kernels();
    const create = outputsBeside(path, platform, sources);
    const progress = showProgress(err);
    const report = await convertCheckpoint(checkpoint, create, {
      kernels,
      fileName: basename(path),
      to,
      dtype,
      quantize,
      maxShardBytes: flags.maxShardSize,
      all,
      select,
      checkCrc: flags.crc,
      signal,
      onProgress: progress.onProgress,
    }).finally(progress.stop);
    const ms = timings.lap("convert");
    const findings = [...checkpoint.findings, ...report.findings];
    const files = report.files.map(({ name, byteLength }) => ({ path: join(dirname(path), name), byteLength }));
    if (flags.json) {
      const { tensorCount } = report;
      writeJson(context.out, { uri: checkpoint.uri, to, files, tensorCount, ties: Object.fromEntries(report.ties), findings });
    } else {
      warnOfFindings(findings, err, verbose);
      const chosen = checkpoint.tensors.filter((tensor) => (all || tensor.group === "model") && (!select || select(tensor)));
      writeConversion({ checkpoint, files, chosen, ties: report.ties, dtype, ms }, context.out);
    }
    if (verbose) timings.write(err);
    return EXIT.good;
  } finally {
    await checkpoint.close();
  }
}
