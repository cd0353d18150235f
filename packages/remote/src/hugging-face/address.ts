import { CheckpointConfigError } from "@ckptkit/core";

/** A file or repository on the Hugging Face Hub. */
export interface HuggingFaceAddress {
  readonly type: "model" | "dataset" | "space";
  /** `owner/name`. */
  readonly repository: string;
  /** Branch, tag or commit; undefined for the main branch. */
  readonly revision: string | undefined;
  /** Path in the repository; undefined for the repository itself. */
  readonly path: string | undefined;
}

/** Whether an address names something on the Hub. */
export const isHuggingFaceAddress = (uri: string): boolean => /^hf:\/\//i.test(uri);

/** Branches with slashes in their names that addresses hold as they are: pull requests and conversions. */
const SPECIAL_REVISION = /^refs\/(?:pr\/\d+|convert\/[\w.-]+)(?=\/|$)/;

/**
 * Takes `hf://[datasets/|spaces/]owner/name[@revision][/path]` apart. A slash in a revision is written as %2F, except in `refs/pr/1`
 * and `refs/convert/parquet`.
 *
 * @throws {CheckpointConfigError} INVALID_ARGUMENT
 * @see https://huggingface.co/docs/huggingface_hub/guides/hf_file_system
 * @example parseHuggingFaceAddress("hf://openai-community/gpt2@main/model.safetensors")
 */
export function parseHuggingFaceAddress(uri: string): HuggingFaceAddress {
  const match = /^hf:\/\/(?:(models|datasets|spaces)\/)?([\w.-]+\/[\w.-]+)(?:@.+?)?(?:\/.*)?$/is.exec(uri);
  const kind = match?.[1]?.toLowerCase();
  const repository = match?.[2];
  if (repository === undefined || /(^|\/)\.{1,2}($|\/)/.test(repository)) throw badAddress("it does not name a repository as owner/name");
  const { revision, path } = splitRevision(uri.slice(uri.indexOf(repository) + repository.length));
  if (revision === "") throw badAddress("there is nothing behind the @");
  if (path.split("/").some((segment) => segment === "." || segment === "..")) throw badAddress('its path has a part "." or ".."');
  return {
    type: kind === "datasets" ? "dataset" : kind === "spaces" ? "space" : "model",
    repository,
    revision,
    path: path === "" ? undefined : path,
  };
}

function splitRevision(rest: string): { revision: string | undefined; path: string } {
  if (!rest.startsWith("@")) return { revision: undefined, path: rest.slice(1) };
  const text = rest.slice(1);
  const revision = SPECIAL_REVISION.exec(text)?.[0] ?? text.split("/", 1)[0] ?? "";
  try {
    return { revision: decodeURIComponent(revision), path: text.slice(revision.length + 1) };
  } catch {
    throw badAddress("its revision is not percent-encoded as it should be");
  }
}

/** The address as people write it. */
export function formatHuggingFaceAddress({ type, repository, revision, path }: HuggingFaceAddress): string {
  const at = revision === undefined ? "" : `@${SPECIAL_REVISION.test(revision) ? revision : encodeURIComponent(revision)}`;
  return `hf://${type === "model" ? "" : `${type}s/`}${repository}${at}${path === undefined ? "" : `/${path}`}`;
}

function badAddress(why: string): CheckpointConfigError {
  return new CheckpointConfigError("INVALID_ARGUMENT", `The Hugging Face address cannot be used: ${why}.`, {
    suggestions: [
      "Write it as hf://OWNER/NAME/FILE, or hf://OWNER/NAME@REVISION/FILE, with datasets/ or spaces/ before OWNER where it is one.",
    ],
  });
}
