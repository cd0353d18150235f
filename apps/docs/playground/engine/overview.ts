import type { Finding, Json } from "@ckptkit/core";
import { estimateMemory, type MemoryEstimate, tieKeys } from "@ckptkit/inspect";
import { GROUPS } from "./columns.js";
import type { SessionId, Sessions } from "./sessions.js";

/** Tensors, elements and bytes of some tensors together. */
export interface Share {
  readonly name: string;
  readonly tensors: number;
  readonly params: number;
  readonly bytes: number;
}

/** The first look at a checkpoint. */
export interface Overview {
  readonly dtypes: readonly Share[];
  readonly groups: readonly Share[];
  readonly memory: MemoryEstimate;
  /** Elements of the model; tied weights count once. */
  readonly parameters: number;
  readonly ties: readonly (readonly string[])[];
  readonly findings: readonly Finding[];
  /** Plain values at the top of the file: epoch, versions ... */
  readonly facts: readonly (readonly [name: string, value: string])[];
  /** Tensors that a scan found NaN or infinities in; undefined before any scan. */
  readonly notFinite: number | undefined;
}

/** The area behind the overview. */
export function createOverview(sessions: Sessions) {
  return {
    /** Sums up an open checkpoint. Reads nothing. */
    overview: async (id: SessionId): Promise<Overview> => {
      const session = sessions.get(id);
      const { columns, checkpoint, marks } = session;
      const keyOf = tieKeys();
      const byKey = new Map<string, string[]>();
      let parameters = 0;
      for (const [index, tensor] of checkpoint.tensors.entries()) {
        const key = keyOf(tensor.spec);
        const same = byKey.get(key);
        if (same) same.push(columns.path(index));
        else {
          byKey.set(key, [columns.path(index)]);
          if (tensor.group === "model") parameters += tensor.elementCount;
        }
      }
      return {
        dtypes: shares(columns.dtypes, columns.dtypeOf, columns.params, columns.bytes).sort((a, b) => b.bytes - a.bytes),
        groups: shares(GROUPS, columns.groupOf, columns.params, columns.bytes),
        memory: estimateMemory(checkpoint),
        parameters,
        ties: [...byKey.values()].filter((paths) => paths.length > 1).slice(0, 200),
        findings: checkpoint.findings.slice(0, 500),
        facts: factsOf(checkpoint.metadata),
        notFinite: marks.size === 0 ? undefined : [...marks.values()].filter(({ nan, inf }) => nan + inf > 0).length,
      };
    },
  };
}

function shares(names: readonly string[], of: ArrayLike<number>, params: Float64Array, bytes: Float64Array): Share[] {
  const sums = names.map((name) => ({ name, tensors: 0, params: 0, bytes: 0 }));
  for (let index = 0; index < of.length; index++) {
    const sum = sums[of[index] ?? 0];
    if (!sum) continue;
    sum.tensors++;
    sum.params += params[index] ?? 0;
    sum.bytes += bytes[index] ?? 0;
  }
  return sums.filter(({ tensors }) => tensors > 0);
}

/** The values at the top that a line can hold. */
function factsOf(metadata: { readonly [key: string]: Json }): [string, string][] {
  return Object.entries(metadata).flatMap(([key, value]): [string, string][] => {
    const isPlain = typeof value === "number" || typeof value === "boolean" || (typeof value === "string" && value.length <= 200);
    return isPlain ? [[key, String(value)]] : [];
  });
}
