import { HASH_ALGORITHMS, type TensorHandle } from "@ckptkit/core";
import { CheckpointCheck, type CheckpointContext, type StageOptions } from "@ckptkit/core/pipeline";
import { hashSource, hashTensors } from "@ckptkit/inspect";
import * as z from "zod";
import { checkFailed, recordCheck } from "../inspecting/check-result.js";
import { subjectOf, subjectShape } from "../inspecting/subject.js";
import { kernelsOf, poolOf } from "../kernels-of.js";
import { parseOptions } from "../options.js";

const digest = z.string().regex(/^(?:0x)?(?:[0-9a-f]{2})+$/i, { error: "a digest in hexadecimal" });

const options = z.strictObject({
  algorithm: z.enum(HASH_ALGORITHMS).default("sha256").describe("How digests are computed"),
  expected: digest.optional().describe("Digest of the whole file"),
  tensors: z.record(z.string(), digest).optional().describe("Digests of tensors' contiguous little-endian bytes, by their paths or names"),
  path: z.string().optional().describe("File whose digest is expected; the one that the checkpoint was opened from when left out"),
  ...subjectShape,
});

/**
 * Checks digests: of the file's bytes, of single tensors, or of both. Without anything that is expected it records the digest
 * of the file, and notes that nothing was verified.
 *
 * @example await new ChecksumCheck({ expected: "9f86d081884c7d65...", algorithm: "sha256" }).process(context);
 */
export class ChecksumCheck extends CheckpointCheck {
  static override readonly description = "Refuses a file, or tensors, whose digest is not the expected one";
  static override readonly schema = options;
  readonly options: z.output<typeof options>;

  /** @throws {CheckpointConfigError} INVALID_ARGUMENT */
  constructor(input: z.input<typeof options> = {}) {
    super();
    this.options = parseOptions(options, input, "ChecksumCheck");
  }

  /**
   * @throws {CheckpointValidationError} CHECK_FAILED with every digest that differs
   * @throws {CheckpointIntegrityError} CRC_MISMATCH when the file contradicts the checksums that it holds itself
   */
  async process(context: CheckpointContext, stage: StageOptions = {}): Promise<CheckpointContext> {
    const { expected, tensors, algorithm } = this.options;
    const problems: Problem[] = [];
    let found: string | undefined;
    if (expected !== undefined || tensors === undefined) {
      found = await this.#fileDigest(context, stage);
      if (expected === undefined)
        stage.onNotice?.({ level: "warning", message: `No digest was expected: the file has the ${algorithm} ${found}.` });
      else if (normal(expected) !== found) problems.push({ of: "file", expected: normal(expected), found });
    }
    if (tensors) problems.push(...(await this.#tensorProblems(context, tensors, stage)));
    if (problems.length > 0) {
      throw checkFailed(`The ${algorithm} is not the expected one`, problems, {
        describe: describeProblem,
        suggestions: ["Fetch the file again.", "Make sure that the digest is of this file and of this algorithm."],
      });
    }
    return recordCheck(context, "checksum", {
      algorithm,
      ...(found !== undefined && { digest: found, verified: expected !== undefined }),
      ...(tensors && { tensors: Object.keys(tensors).length }),
    });
  }

  async #fileDigest(context: CheckpointContext, { signal, onProgress }: StageOptions): Promise<string> {
    const { algorithm, path, from } = this.options;
    const platform = context.require(this.name, "platform");
    const address = path ?? (from === undefined ? context.checkpointPath : undefined) ?? context.requireCheckpoint(this.name, from).uri;
    const source = await platform.open(address, { signal });
    try {
      const { digest } = await hashSource(source, { kernels: await kernelsOf(context), algorithm, signal, onProgress });
      return digest;
    } finally {
      await source.close?.();
    }
  }

  async #tensorProblems(context: CheckpointContext, expected: Readonly<Record<string, string>>, stage: StageOptions): Promise<Problem[]> {
    const subject = subjectOf(context, this.options, this.name);
    const wanted = new Map(Object.entries(expected));
    const select = ({ path, name }: TensorHandle): boolean => wanted.has(path) || wanted.has(name);
    const chosen = subject.tensors.filter(select);
    const { tensors } = await hashTensors(subject, {
      kernels: await kernelsOf(context),
      pool: await poolOf(context, subject, select),
      algorithm: this.options.algorithm,
      select,
      signal: stage.signal,
      onProgress: stage.onProgress,
    });
    const digests = new Map(tensors.map(({ path, digest: value }) => [path, value]));
    return [...wanted].flatMap(([key, value]): Problem[] => {
      const tensor = chosen.find(({ path, name }) => path === key || name === key);
      const found = tensor ? (digests.get(tensor.path) ?? "no bytes") : "no such tensor";
      return found === normal(value) ? [] : [{ of: key, expected: normal(value), found }];
    });
  }
}

/** One digest that is not the expected one. */
type Problem = { of: string; expected: string; found: string };

const describeProblem = ({ of, expected, found }: Problem): string => `${of} (expected ${expected}, found ${found})`;

const normal = (digestText: string): string => digestText.replace(/^0x/i, "").toLowerCase();
