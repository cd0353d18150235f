import {
  type ByteSource,
  blobSource,
  CheckpointError,
  CheckpointNotFoundError,
  coalesceSource,
  countSource,
  looksLikeCheckpoint,
  type ReadCounts,
} from "@ckptkit/core";
import { openUri } from "@ckptkit/formats";
import { type OpenRemoteOptions, openRemote } from "@ckptkit/remote";
import { type Candidate, checkpointCandidates, type PickedFile } from "./candidates.js";
import { gatedSource } from "./gate.js";
import { fetchSample } from "./samples.js";
import type { Origin, SessionInfo, Sessions } from "./sessions.js";
import type { TaskId, TaskOptions, Tasks } from "./tasks.js";

export type { Candidate, PickedFile } from "./candidates.js";

/** How S3 is reached. Kept in memory only. */
export interface S3Settings {
  readonly region?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly accessKeyId?: string | undefined;
  readonly secretAccessKey?: string | undefined;
  readonly sessionToken?: string | undefined;
}

/** What to open. */
export type OpenRequest =
  | { readonly kind: "files"; readonly files: readonly PickedFile[]; readonly choice?: string | undefined }
  | { readonly kind: "address"; readonly address: string; readonly s3?: S3Settings | undefined; readonly token?: string | undefined }
  | { readonly kind: "sample"; readonly sample: string };

/** An open checkpoint, or the checkpoints among which a person has to choose. */
export type OpenAnswer =
  | { readonly kind: "opened"; readonly session: SessionInfo }
  | { readonly kind: "choose"; readonly from: string; readonly candidates: readonly Candidate[] };

/** The area that opens and closes checkpoints. */
export function createOpen(sessions: Sessions, tasks: Tasks) {
  const open = async (
    uri: string,
    reach: (uri: string, options: TaskOptions) => Promise<ByteSource>,
    facts: { name: string; origin: Origin },
    options: TaskOptions,
  ): Promise<OpenAnswer> => {
    const started = performance.now();
    const counts: ReadCounts[] = [];
    const wrapSource = (source: ByteSource): ByteSource => {
      const counted = countSource(source);
      counts.push(counted.counts);
      return gatedSource(counted);
    };
    const checkpoint = await openUri({ open: (address) => reach(address, options) }, uri, { ...options, wrapSource });
    const openMs = performance.now() - started;
    const session = sessions.add(checkpoint, { ...facts, openMs }, sumOf(counts));
    return { kind: "opened", session: session.info };
  };

  const openFiles = async (files: ReadonlyMap<string, Blob>, path: string, origin: Origin, options: TaskOptions): Promise<OpenAnswer> =>
    open(path, async (name) => blobSource(fileOf(files, name), fileName(name)), { name: fileName(path), origin }, options);

  return {
    /**
     * Opens what a person chose. Reads the description and nothing more.
     *
     * @throws {CheckpointError} what `openCheckpoint` and the sources throw; UNKNOWN_FORMAT for a folder without any checkpoint
     */
    open: (task: TaskId, request: OpenRequest): Promise<OpenAnswer> =>
      tasks.run(task, async (options) => {
        if (request.kind === "address") {
          const { address } = request;
          const facts = { name: withoutSecrets(address), origin: { kind: "address", address, hasSecret: hasSecret(request) } } as const;
          const remote: OpenRemoteOptions = { ...options, ...remoteOptions(request) };
          return open(address, async (uri) => coalesceSource(await openRemote(uri, {}, remote)), facts, options).catch((error: unknown) =>
            chooseFromRepository(address, error),
          );
        }
        if (request.kind === "sample") {
          const { sample, files } = await fetchSample(request.sample, options.signal);
          return openFiles(files, sample.files[0], { kind: "sample", sample: sample.id }, options);
        }
        const { files, choice } = request;
        const candidates = checkpointCandidates(files);
        const only = files.length === 1 ? files[0]?.path : candidates.length === 1 ? candidates[0]?.id : undefined;
        const path = choice ?? only;
        if (path === undefined && candidates.length === 0) throw nothingHere(files);
        if (path === undefined) return { kind: "choose", from: folderOf(files), candidates };
        return openFiles(new Map(files.map(({ path, file }) => [path, file])), path, { kind: "local" }, options);
      }),

    close: async (id: number): Promise<void> => sessions.close(id),

    list: async (): Promise<SessionInfo[]> => sessions.list(),
  };
}

/** The sum of counts that go on counting. */
function sumOf(counts: readonly ReadCounts[]): ReadCounts {
  return {
    get reads() {
      return counts.reduce((sum, { reads }) => sum + reads, 0);
    },
    get bytesRead() {
      return counts.reduce((sum, { bytesRead }) => sum + bytesRead, 0);
    },
  };
}

function fileOf(files: ReadonlyMap<string, Blob>, path: string): Blob {
  const file = files.get(path);
  if (file) return file;
  throw new CheckpointNotFoundError("NOT_FOUND", `${fileName(path)} is not among the files that were chosen.`, {
    details: { path },
    suggestions: ["Choose the whole folder, or all files together: a page sees only what it is given."],
  });
}

const fileName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

const folderOf = (files: readonly PickedFile[]): string => {
  const first = files[0]?.path ?? "";
  return first.includes("/") ? first.slice(0, first.indexOf("/")) : `${files.length} files`;
};

function nothingHere(files: readonly PickedFile[]): CheckpointError {
  return new CheckpointError("UNKNOWN_FORMAT", `None of these ${files.length} files has a name that checkpoints have.`, {
    details: { files: files.slice(0, 20).map(({ path }) => path) },
    suggestions: ["Choose one file by itself: it is then opened by its content, whatever its name."],
  });
}

function remoteOptions({ s3, token }: Extract<OpenRequest, { kind: "address" }>): OpenRemoteOptions {
  const { accessKeyId, secretAccessKey, sessionToken, region, endpoint } = s3 ?? {};
  const credentials =
    accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey, sessionToken: sessionToken || undefined } : undefined;
  return {
    huggingFace: { token: token || undefined },
    s3: { region: region || undefined, endpoint: endpoint || undefined, credentials, anonymous: credentials === undefined },
  };
}

/** Parameters that grant access to whoever has the address: they are kept out of names, links and lists. */
const SECRET_PARAMETER =
  /^(x-amz-(signature|credential|security-token)|x-goog-(signature|credential)|signature|sig|token|access_token|key-pair-id|awsaccesskeyid)$/i;

function hasSecret({ address }: Extract<OpenRequest, { kind: "address" }>): boolean {
  if (!URL.canParse(address)) return false;
  const { username, password, searchParams } = new URL(address);
  return username !== "" || password !== "" || [...searchParams.keys()].some((key) => SECRET_PARAMETER.test(key));
}

function withoutSecrets(address: string): string {
  if (!/^https?:/i.test(address) || !URL.canParse(address)) return address;
  const { host, pathname } = new URL(address);
  return `${host}${decodeURI(pathname)}`;
}

/** A repository's address names no file; the error lists the checkpoints in it. */
function chooseFromRepository(address: string, error: unknown): OpenAnswer {
  const listed = error instanceof CheckpointError ? error.details.checkpoints : undefined;
  if (!(error instanceof CheckpointError) || error.code !== "INVALID_ARGUMENT" || !Array.isArray(listed) || listed.length === 0)
    throw error;
  const names = listed.filter((name): name is string => typeof name === "string" && looksLikeCheckpoint(name));
  const candidates = names.map((name) => ({ id: `${address.replace(/\/$/, "")}/${name}`, name, bytes: undefined, about: "" }));
  return { kind: "choose", from: address, candidates };
}
