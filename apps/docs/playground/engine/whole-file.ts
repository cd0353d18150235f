import { HASH_ALGORITHMS, type HashAlgorithm, type OperationOptions } from "@ckptkit/core";
import { hashSource, hashTensors } from "@ckptkit/inspect";
import { AUDIT_RULES, type Audit, type AuditRule, auditSource } from "@ckptkit/inspect/audit";
import { gatedSource } from "./gate.js";
import { useMachinery } from "./kernels.js";
import type { Session, SessionId, Sessions } from "./sessions.js";
import type { TaskId, Tasks } from "./tasks.js";

/** An audit with the meaning of every rule that was broken. */
export interface ExplainedAudit extends Audit {
  readonly explained: Readonly<Record<string, Pick<AuditRule, "means" | "advice">>>;
  readonly ms: number;
}

/** Digests of a file or of its tensors. */
export interface Digests {
  readonly algorithm: HashAlgorithm;
  /** Of the whole file; undefined when tensors were hashed. */
  readonly digest: string | undefined;
  readonly byteLength: number;
  readonly tensors: readonly { readonly path: string; readonly digest: string }[];
  readonly ms: number;
}

/** The area that looks at files as a whole: audit and digests. */
export function createWholeFile(sessions: Sessions, tasks: Tasks) {
  return {
    /** What loading the file with Python would import and call. Never fails for what is in the file. */
    audit: (task: TaskId, id: SessionId): Promise<ExplainedAudit> =>
      tasks.run(task, async (options) => {
        const started = performance.now();
        const audit = await withSource(sessions.get(id), options, (source) => auditSource(source, options));
        const broken = [...new Set(audit.findings.map(({ rule }) => rule))];
        const explained = Object.fromEntries(
          broken.flatMap((rule) => {
            const known = AUDIT_RULES[rule];
            return known ? [[rule, { means: known.means, advice: known.advice }]] : [];
          }),
        );
        return { ...audit, uri: sessions.get(id).info.name, explained, ms: performance.now() - started };
      }),

    /** Names of the hash functions. */
    algorithms: async (): Promise<readonly HashAlgorithm[]> => HASH_ALGORITHMS,

    /**
     * The digest of the whole file, as `sha256sum` gives it, or of each tensor.
     *
     * @throws {CheckpointIntegrityError} CRC_MISMATCH
     */
    hash: (task: TaskId, id: SessionId, algorithm: HashAlgorithm, ofTensors: boolean): Promise<Digests> =>
      tasks.run(task, async (options) => {
        const session = sessions.get(id);
        const { kernels, pool } = await useMachinery();
        const started = performance.now();
        const done = (digests: Pick<Digests, "digest" | "byteLength" | "tensors">): Digests => ({
          algorithm,
          ...digests,
          ms: performance.now() - started,
        });
        if (ofTensors) {
          const { tensors } = await hashTensors(session.checkpoint, { ...options, kernels, pool, algorithm });
          return done({ digest: undefined, byteLength: session.checkpoint.byteLength, tensors });
        }
        return withSource(session, options, async (source) => {
          const { digest, byteLength } = await hashSource(source, { ...options, kernels, algorithm });
          return done({ digest, byteLength, tensors: [] });
        });
      }),
  };
}

/** Opens the file of a session once more, for the time of `work`. */
async function withSource<T>(
  { way }: Session,
  options: OperationOptions,
  work: (source: ReturnType<typeof gatedSource>) => Promise<T>,
): Promise<T> {
  const source = gatedSource(await way.open(way.uri, options));
  try {
    return await work(source);
  } finally {
    await source.close?.();
  }
}
