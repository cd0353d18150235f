import {
  type ByteSource,
  CheckpointConfigError,
  type CheckpointError,
  CheckpointNotFoundError,
  CheckpointSourceError,
  looksLikeCheckpoint,
  requestJson,
  similarNames,
  someNames,
} from "@ckptkit/core";
import { listOf, textOf } from "../json-fields.js";
import { openHttp } from "../open-http.js";
import { fetchOf, type RemoteHost, type TransferOptions, variable } from "../remote-options.js";
import { retrying } from "../retrying.js";
import { formatHuggingFaceAddress, type HuggingFaceAddress, parseHuggingFaceAddress } from "./address.js";
import { hubFetch } from "./hub-fetch.js";

/** How the Hub is reached. */
export interface HuggingFaceOptions {
  /** HF_TOKEN when left out. Goes to the Hub alone, never to where it redirects. */
  token?: string | undefined;
  /** Branch, tag or commit, where the address has none. */
  revision?: string | undefined;
  /** Address of the Hub; HF_ENDPOINT when left out, else https://huggingface.co. */
  hub?: string | undefined;
}

/** A whole commit hash, as the Hub's repositories have them. */
const COMMIT = /^[0-9a-f]{40}$/;

/**
 * A file of a repository on the Hugging Face Hub, read by range at the commit that the revision stands for now: later
 * commits do not mix in.
 *
 * @throws {CheckpointConfigError} INVALID_ARGUMENT for an address without a file, with the checkpoints that the repository has
 * @throws {CheckpointNotFoundError} NOT_FOUND
 * @throws {CheckpointSourceError} ACCESS_DENIED ...
 * @see https://huggingface.co/docs/hub/api
 * @example const source = await huggingFaceSource("hf://openai-community/gpt2/model.safetensors", platform);
 */
export async function huggingFaceSource(
  uri: string,
  host: RemoteHost,
  options: HuggingFaceOptions & TransferOptions = {},
): Promise<ByteSource> {
  const parsed = parseHuggingFaceAddress(uri);
  const address: HuggingFaceAddress = { ...parsed, revision: parsed.revision ?? options.revision };
  const token = options.token ?? variable(host, "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN");
  const name = formatHuggingFaceAddress(address);
  const hub: Hub = {
    url: (options.hub ?? variable(host, "HF_ENDPOINT") ?? "https://huggingface.co").replace(/\/+$/, ""),
    fetch: hubFetch(fetchOf(host), name, token !== undefined),
    headers: { ...options.headers, ...(token !== undefined && { Authorization: `Bearer ${token}` }) },
    options,
  };
  const { path, revision = "main" } = address;
  const known = COMMIT.test(revision) ? undefined : await snapshotOf(hub, address);
  const commit = known?.commit ?? revision;
  if (path === undefined) throw chooseFile(name, (known ?? (await snapshotOf(hub, address))).files);
  if (known && !known.files.includes(path)) throw missingFile(name, path, known.files);
  const kind = address.type === "model" ? "" : `${address.type}s/`;
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  try {
    const source = await openHttp(`${hub.url}/${kind}${address.repository}/resolve/${commit}/${encoded}`, host, {
      ...options,
      headers: hub.headers,
      fetch: hub.fetch,
      name,
    });
    return {
      ...source,
      address: formatHuggingFaceAddress({ ...address, revision: commit }),
      version: { ...source.version, revision: commit },
    };
  } catch (error) {
    if (!(error instanceof CheckpointNotFoundError) || known) throw error;
    const { files } = await snapshotOf(hub, address);
    throw files.includes(path) ? error : missingFile(name, path, files);
  }
}

interface Hub {
  readonly url: string;
  readonly fetch: ReturnType<typeof fetchOf>;
  readonly headers: Readonly<Record<string, string>>;
  readonly options: TransferOptions;
}

/** What a revision stands for now. */
async function snapshotOf(
  hub: Hub,
  { type, repository, revision = "main" }: HuggingFaceAddress,
): Promise<{ commit: string; files: string[] }> {
  const { timeoutMs, signal, retry } = hub.options;
  const url = `${hub.url}/api/${type}s/${repository}/revision/${encodeURIComponent(revision)}`;
  const json = await retrying(() => requestJson(url, { fetch: hub.fetch, headers: hub.headers, timeoutMs, signal }), retry, signal);
  const commit = textOf(json, "sha");
  if (commit === undefined || !COMMIT.test(commit)) {
    throw new CheckpointSourceError("HTTP_ANSWER", `The Hub's answer about ${repository} names no commit.`, { details: { repository } });
  }
  const files = listOf(json, "siblings").flatMap((entry) => textOf(entry, "rfilename") ?? []);
  return { commit, files };
}

/** The checkpoints among a repository's files, an index before its shards. */
function checkpointsOf(files: readonly string[]): string[] {
  const indexes = files.filter((file) => file.endsWith(".index.json"));
  return [...indexes, ...files.filter((file) => looksLikeCheckpoint(file) && !indexes.includes(file))];
}

function chooseFile(name: string, files: readonly string[]): CheckpointError {
  const checkpoints = checkpointsOf(files);
  return new CheckpointConfigError("INVALID_ARGUMENT", `${name} is a repository; the address of a file in it is needed.`, {
    details: { name, checkpoints: checkpoints.slice(0, 50), files: files.length },
    suggestions: [
      ...(checkpoints[0] === undefined ? ["It holds no file that looks like a checkpoint."] : [`Try ${name}/${checkpoints[0]}`]),
      ...(checkpoints.length > 1 ? [`Its checkpoints are ${someNames(checkpoints)}.`] : []),
    ],
  });
}

function missingFile(name: string, path: string, files: readonly string[]): CheckpointNotFoundError {
  const similar = similarNames(path, files);
  const checkpoints = checkpointsOf(files);
  return new CheckpointNotFoundError("NOT_FOUND", `There is no ${name}: the repository has no file ${path}.`, {
    details: { name, path, checkpoints: checkpoints.slice(0, 50) },
    suggestions: [
      ...(similar.length > 0 ? [`Similar names in it: ${similar.join(", ")}.`] : []),
      checkpoints.length > 0 ? `Its checkpoints are ${someNames(checkpoints)}.` : "It holds no file that looks like a checkpoint.",
    ],
  });
}
