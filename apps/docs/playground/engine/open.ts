import { folderOf, type PathFile } from "@ckptkit/browser";
import { type ByteSource, countSource, type ReadCounts } from "@ckptkit/core";
import { openUri } from "@ckptkit/formats";
import { type Candidate, candidatesIn, reachIn } from "./folder.js";
import { gatedSource } from "./gate.js";
import { chooseFromRepository, hasSecret, platformFor, type RemoteRequest, withoutSecrets } from "./remote.js";
import { fetchSample } from "./samples.js";
import type { Origin, SessionInfo, Sessions, Way } from "./sessions.js";
import type { TaskId, TaskOptions, Tasks } from "./tasks.js";

export type { Candidate } from "./folder.js";
export type { S3Settings } from "./remote.js";

/** What to open. */
export type OpenRequest =
  | { readonly kind: "files"; readonly files: readonly PathFile[]; readonly choice?: string | undefined }
  | ({ readonly kind: "address" } & RemoteRequest)
  | { readonly kind: "sample"; readonly sample: string };

/** An open checkpoint, or the checkpoints among which a person has to choose. */
export type OpenAnswer =
  | { readonly kind: "opened"; readonly session: SessionInfo }
  | { readonly kind: "choose"; readonly from: string; readonly candidates: readonly Candidate[] };

/** What a session is told of where it came from. */
interface OpenFacts {
  readonly name: string;
  readonly origin: Origin;
  readonly isPublic: boolean;
}

/** The area that opens and closes checkpoints. */
export function createOpen(sessions: Sessions, tasks: Tasks) {
  const open = async (uri: string, reach: Way["open"], facts: OpenFacts, options: TaskOptions): Promise<OpenAnswer> => {
    const started = performance.now();
    const counts: ReadCounts[] = [];
    const wrapSource = (source: ByteSource): ByteSource => {
      const counted = countSource(source);
      counts.push(counted.counts);
      return gatedSource(counted);
    };
    const checkpoint = await openUri({ open: (address) => reach(address, options) }, uri, { ...options, wrapSource });
    const openMs = performance.now() - started;
    const { name, origin, isPublic } = facts;
    const session = sessions.add(checkpoint, { name, origin, openMs }, sumOf(counts), { uri, isPublic, open: reach });
    return { kind: "opened", session: session.info };
  };

  const openFiles = async (
    files: readonly PathFile[],
    choice: string | undefined,
    origin: Origin,
    options: TaskOptions,
  ): Promise<OpenAnswer> => {
    const folder = folderOf(files);
    const entries = await folder.list();
    const only = entries.length === 1 ? entries[0]?.path : undefined;
    const candidates = choice === undefined && only === undefined ? await candidatesIn(folder) : [];
    const path = choice ?? only ?? (candidates.length === 1 ? candidates[0]?.id : undefined);
    if (path === undefined) return { kind: "choose", from: folder.name, candidates };
    return open(path, reachIn(folder, path, entries.length), { name: fileName(path), origin, isPublic: false }, options);
  };

  return {
    /**
     * Opens what a person chose. Reads the description and nothing more.
     *
     * @throws {CheckpointError} what `openCheckpoint` and the sources throw; NOT_FOUND for a folder without any checkpoint
     */
    open: (task: TaskId, request: OpenRequest): Promise<OpenAnswer> =>
      tasks.run(task, async (options) => {
        if (request.kind === "files") return openFiles(request.files, request.choice, { kind: "local" }, options);
        if (request.kind === "sample") {
          const { sample, files } = await fetchSample(request.sample, options.signal);
          return openFiles(files, sample.files[0], { kind: "sample", sample: sample.id }, options);
        }
        const { address } = request;
        const isSecret = hasSecret(address);
        const isPublic = !isSecret && !request.token && !request.s3?.accessKeyId;
        const platform = platformFor(request);
        const facts: OpenFacts = { name: withoutSecrets(address), origin: { kind: "address", address, hasSecret: isSecret }, isPublic };
        return open(address, (uri, own) => platform.open(uri, own), facts, options).catch((error: unknown) =>
          chooseFromRepository(address, error),
        );
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

const fileName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
