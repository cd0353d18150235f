import type { Finding, Json } from "@ckptkit/core";
import { type CheckpointSummary, type ModuleNode, moduleTree, summarizeCheckpoint } from "@ckptkit/inspect";
import type { Session, SessionId, Sessions } from "./sessions.js";

/** A module among the largest. */
export interface TopModule {
  readonly path: string;
  readonly parameters: number;
  readonly byteLength: number;
  readonly tensors: number;
}

/** What scans found so far. */
export interface Scanned {
  readonly tensors: number;
  readonly notFinite: readonly { readonly path: string; readonly nan: number; readonly inf: number }[];
}

/** The first look at a checkpoint: what its description amounts to, bounded whatever the file. */
export interface Overview extends Omit<CheckpointSummary, "tensors" | "training"> {
  readonly tensors: Omit<CheckpointSummary["tensors"], "ties">;
  /** Names of the same bytes: the first of them, and how many there are in all. */
  readonly ties: { readonly count: number; readonly first: readonly (readonly string[])[] };
  readonly training: Omit<CheckpointSummary["training"], "callbacks"> & { readonly callbacks: readonly string[] };
  readonly findingList: readonly Finding[];
  readonly topModules: readonly TopModule[];
  /** Plain values at the top of the file. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  /** Undefined before any scan. */
  readonly scanned: Scanned | undefined;
}

const TIES_SHOWN = 50;
const FINDINGS_SHOWN = 200;
const MODULES_SHOWN = 12;

/** The area behind the overview. */
export function createOverview(sessions: Sessions) {
  const made = new WeakMap<Session, Omit<Overview, "scanned">>();
  return {
    /** Sums up an open checkpoint. Reads nothing. */
    overview: async (id: SessionId): Promise<Overview> => {
      const session = sessions.get(id);
      const overview = made.get(session) ?? overviewOf(session);
      made.set(session, overview);
      return { ...overview, scanned: scannedIn(session) };
    },
  };
}

function overviewOf({ checkpoint }: Session): Omit<Overview, "scanned"> {
  const { tensors, training, ...summary } = summarizeCheckpoint(checkpoint);
  const { ties, ...sums } = tensors;
  return {
    ...summary,
    tensors: sums,
    ties: { count: ties.length, first: ties.slice(0, TIES_SHOWN) },
    training: { ...training, callbacks: training.callbacks.map(({ name }) => name) },
    findingList: checkpoint.findings.slice(0, FINDINGS_SHOWN),
    topModules: topModules(moduleTree(checkpoint)),
    facts: factsOf(checkpoint.metadata),
  };
}

/** The largest modules of the first level that has several. */
function topModules(root: ModuleNode): TopModule[] {
  let node = root;
  for (let [only] = node.children; only && node.children.length === 1 && node.own.length === 0; [only] = node.children) node = only;
  return [...node.children]
    .sort((a, b) => b.parameters - a.parameters)
    .slice(0, MODULES_SHOWN)
    .map(({ path, parameters, byteLength, tensors }) => ({ path, parameters, byteLength, tensors }));
}

function scannedIn({ marks, columns }: Session): Scanned | undefined {
  if (marks.size === 0) return undefined;
  const notFinite = [...marks]
    .filter(([, { nan, inf }]) => nan + inf > 0)
    .map(([tensor, mark]) => ({ path: columns.path(tensor), ...mark }));
  return { tensors: marks.size, notFinite };
}

/** The values at the top that a line can hold. */
function factsOf(metadata: { readonly [key: string]: Json }): [string, string][] {
  return Object.entries(metadata).flatMap(([key, value]): [string, string][] => {
    const isPlain = typeof value === "number" || typeof value === "boolean" || (typeof value === "string" && value.length <= 200);
    return isPlain ? [[key, String(value)]] : [];
  });
}
