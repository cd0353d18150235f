import { CheckpointLoadError, type Finding } from "@ckptkit/core";
import { leadsElsewhere } from "../file-beside.js";
import { quoted } from "../quoted.js";

/** Bytes of a CheckpointState at the most: a line for each checkpoint that is kept. */
export const MOST_STATE_BYTES = 1024 * 1024;

/** Whether bytes are the text `checkpoint` that TensorFlow keeps beside its checkpoints. */
export const isCheckpointState = (head: Uint8Array): boolean =>
  /^\s*model_checkpoint_path\s*:\s*"/.test(String.fromCharCode(...head.subarray(0, 256)));

/**
 * What the files of the latest checkpoint begin with, as a CheckpointState names it.
 *
 * @param findings gets `tf-absolute-path` where the text gives a place of another machine; the file of that name beside the text is taken then.
 * @throws {CheckpointLoadError} TF_BUNDLE_CORRUPT
 * @see https://github.com/tensorflow/tensorflow tensorflow/python/training/checkpoint_state.proto
 */
export function latestPrefix(text: string, file: string, findings: Finding[]): string {
  const path = /^\s*model_checkpoint_path\s*:\s*"((?:[^"\\\n]|\\.)*)"/.exec(text)?.[1]?.replace(/\\(["'\\])/g, "$1") ?? "";
  if (!leadsElsewhere(path)) return path;
  const last = path.replace(/^.*[/\\]/, "");
  if (leadsElsewhere(last)) {
    throw new CheckpointLoadError("TF_BUNDLE_CORRUPT", `${file} names the latest checkpoint ${quoted(path)}, which is no file beside it.`, {
      details: { path: path.slice(0, 1000) },
      suggestions: ["Open the .index file of the checkpoint itself."],
    });
  }
  const message = `The latest checkpoint is said to be at ${quoted(path)}; ${quoted(last)} beside the file that says so was opened.`;
  findings.push({ rule: "tf-absolute-path", severity: "info", message });
  return last;
}
