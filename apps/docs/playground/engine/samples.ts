import type { PathFile } from "@ckptkit/browser";
import { CheckpointSourceError } from "@ckptkit/core";
import { type Sample, sampleById } from "../state/samples.js";

/** Addresses of the fixtures that samples are made of, by file name; the site's build copies the files. */
const ADDRESSES = import.meta.glob<string>(
  "../../../../fixtures/files/{vit-tiny.ckpt,diverged.pt,special-numbers.pt,lightning-hparams.ckpt,st-sharded*,ties.pt,quantized.pt,legacy-lstm.pt,whole-module.pt}",
  { query: "?url", import: "default", eager: true },
);

/**
 * Fetches a sample's files whole: they are small, and a copy works with hosts that know no ranges, and offline.
 *
 * @throws {CheckpointSourceError} NOT_FOUND, READ_FAILED
 */
export async function fetchSample(id: string, signal: AbortSignal): Promise<{ sample: Sample; files: PathFile[] }> {
  const sample = sampleById(id);
  if (!sample) throw new CheckpointSourceError("NOT_FOUND", `There is no sample "${id}".`, { suggestions: ["Choose one of the list."] });
  const files = await Promise.all(
    sample.files.map(async (name): Promise<PathFile> => {
      const address = Object.entries(ADDRESSES).find(([path]) => path.endsWith(`/${name}`))?.[1];
      const answer = address === undefined ? undefined : await fetch(new URL(address, import.meta.url), { signal });
      if (answer?.ok) return { path: name, file: new File([await answer.blob()], name) };
      throw new CheckpointSourceError("READ_FAILED", `The sample ${name} could not be fetched${answer ? `: ${answer.status}` : ""}.`, {
        retryable: true,
        suggestions: ["Check the connection and try again."],
      });
    }),
  );
  return { sample, files };
}
