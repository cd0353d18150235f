import { READERS } from "@ckptkit/formats";

/** What is fuzzed besides the readers: pickles by themselves, and what looks at damaged or hostile files. */
export const OTHER_TARGETS = ["pickle", "zip", "audit", "repair"] as const;

/** Names of all targets. Every reader is one, so that a new one without fixtures fails a test. */
export const TARGET_NAMES: readonly string[] = [...READERS.map(({ format }) => format), ...OTHER_TARGETS];
