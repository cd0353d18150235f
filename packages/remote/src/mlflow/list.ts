import { fieldOf, listOf, textOf } from "../json-fields.js";
import { type ArtifactPlace, joinPath } from "./locate.js";
import type { TrackingServer } from "./tracking-server.js";

/** One entry of a list of artifacts. */
export interface ArtifactEntry {
  /** Path below the place's root. */
  readonly path: string;
  readonly isFolder: boolean;
  /** Bytes; undefined for folders and where the store does not tell. */
  readonly size: number | undefined;
}

/** The parts of `mlflow-artifacts:/path` or `mlflow-artifacts://host:port/path`; undefined for other addresses. */
export function proxiedPath(uri: string): { path: string; authority: string | undefined } | undefined {
  const match = /^mlflow-artifacts:(?:\/\/([^/]*))?\/*(.*)$/is.exec(uri);
  if (!match) return undefined;
  const [, authority = "", path = ""] = match;
  return { path, authority: authority === "" ? undefined : authority };
}

/** Lists one folder of a place that the server can list: a run's, or one behind its proxy. Lists of many pages are followed. */
export async function listArtifacts(server: TrackingServer, place: ArtifactPlace, folder: string): Promise<ArtifactEntry[]> {
  const what = `folder of artifacts ${joinPath(place.pinned, folder)}`;
  const { runId } = place;
  if (runId === undefined) {
    const { path = "" } = proxiedPath(place.root) ?? {};
    const found = await server.get("mlflow-artifacts/artifacts", { path: joinPath(path, folder) }, what);
    // The proxy names entries as they are called within the folder.
    return entriesOf(listOf(found, "files")).map((entry) => ({ ...entry, path: joinPath(folder, entry.path).replace(/^\/+/, "") }));
  }
  const entries: ArtifactEntry[] = [];
  let token: string | undefined;
  do {
    const parameters = { run_id: runId, ...(folder !== "" && { path: folder }), ...(token !== undefined && { page_token: token }) };
    const page = await server.get("mlflow/artifacts/list", parameters, what);
    entries.push(...entriesOf(listOf(page, "files")));
    token = textOf(page, "next_page_token");
  } while (token !== undefined);
  return entries;
}

function entriesOf(files: ReturnType<typeof listOf>): ArtifactEntry[] {
  return files.flatMap((file) => {
    const path = textOf(file, "path");
    if (path === undefined) return [];
    // Protocol buffers give 64-bit integers as strings in JSON.
    const size = Number(fieldOf(file, "file_size") ?? Number.NaN);
    const isFolder = fieldOf(file, "is_dir") === true;
    return [{ path, isFolder, size: !isFolder && Number.isSafeInteger(size) && size >= 0 ? size : undefined }];
  });
}
