import type { Bench } from "./bench.data.js";

/** What a bench measures, in words, and the program that measures it. */
const TASKS: Readonly<Record<string, string>> = {
  open: "Open a checkpoint of 1 GB and see what is in it",
  scan: "Look at every number of 1 GB: NaN, Inf, minimum, maximum, mean, deviation",
};

export const taskOf = ({ name }: Bench): string => TASKS[name] ?? name;
export const commandOf = ({ name }: Bench): string => `node bench/${name}.mjs`;
export const timeText = (ms: number): string =>
  ms >= 1000 ? `${(ms / 1000).toFixed(2)} s` : ms >= 100 ? `${ms.toFixed(0)} ms` : `${ms.toFixed(1)} ms`;
