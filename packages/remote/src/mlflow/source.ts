import {
  type ByteSource,
  CheckpointConfigError,
  CheckpointNotFoundError,
  looksLikeCheckpoint,
  similarNames,
  someNames,
} from "@ckptkit/core";
import { openHttp } from "../open-http.js";
import { type RemoteHost, type TransferOptions, variable } from "../remote-options.js";
import type { S3Options } from "../s3/address.js";
import { isS3Address } from "../s3/address.js";
import { s3Source } from "../s3/source.js";
import { parseMlflowAddress } from "./address.js";
import { type ArtifactEntry, listArtifacts, proxiedPath } from "./list.js";
import { type ArtifactPlace, joinPath, locate } from "./locate.js";
import { type MlflowOptions, TrackingServer } from "./tracking-server.js";
import { unsupportedStore } from "./unsupported-store.js";

/**
 * An artifact of a run or a registered model. The server is asked where it is kept, and it is read from there: through the server's proxy,
 * from S3, from a web server or from a path.
 *
 * @throws {CheckpointConfigError} INVALID_ARGUMENT for an address without a file, with the files that there are
 * @throws {CheckpointNotFoundError} NOT_FOUND
 * @throws {CheckpointSourceError} ACCESS_DENIED, UNSUPPORTED_URI for other stores ...
 * @example const source = await mlflowSource("models:/forecaster@champion/model.ckpt", platform);
 */
export async function mlflowSource(
  uri: string,
  host: RemoteHost,
  options: TransferOptions & { mlflow?: MlflowOptions | undefined; s3?: S3Options | undefined } = {},
): Promise<ByteSource> {
  const server = new TrackingServer(host, options);
  const address = parseMlflowAddress(uri);
  const place = await locate(server, address);
  const name = address.kind === "artifact" ? uri : joinPath(place.pinned, place.path);
  // Both what the proxy cannot tell (a file's size) and what people forget (which file) is in the list of artifacts.
  const listed = place.runId !== undefined || proxiedPath(place.root) !== undefined;
  const entry = listed ? await entryAt(server, place, name) : undefined;
  if (!listed && place.path === "") throw chooseFile(name, []);
  const source = await openStored(joinPath(place.root, place.path), { name, server, host, options, size: entry?.size });
  return {
    ...source,
    name,
    address: name,
    version: { ...source.version, ...(place.revision !== undefined && { revision: place.revision }) },
  };
}

interface Storing {
  name: string;
  server: TrackingServer;
  host: RemoteHost;
  options: TransferOptions & { s3?: S3Options | undefined };
  size: number | undefined;
}

/** Opens a file by the address that it has in its store. */
async function openStored(uri: string, { name, server, host, options, size }: Storing): Promise<ByteSource> {
  const proxied = proxiedPath(uri);
  const url = proxied ? server.proxied(proxied.path, proxied.authority) : uri;
  if (/^https?:\/\//i.test(url)) return openHttp(url, host, { ...options, headers: server.headersFor(url), name, size });
  if (isS3Address(uri)) {
    const endpoint = options.s3?.endpoint ?? variable(host, "MLFLOW_S3_ENDPOINT_URL");
    // The headers given for the tracking server are not S3's.
    return s3Source(uri, host, { ...options, headers: undefined, ...options.s3, endpoint });
  }
  if ((/^file:/i.test(uri) || !/^[a-z][a-z0-9+.-]+:/i.test(uri)) && host.open) return host.open(uri, { signal: options.signal });
  throw unsupportedStore(uri, name);
}

/** What the list of artifacts says of a file. @throws {CheckpointNotFoundError} NOT_FOUND; CheckpointConfigError for a folder. */
async function entryAt(server: TrackingServer, place: ArtifactPlace, name: string): Promise<ArtifactEntry | undefined> {
  const { path } = place;
  // An address of an artifact itself has no path: it is the last part of the root.
  const cut = path.lastIndexOf("/");
  const folder = cut < 0 ? "" : path.slice(0, cut);
  if (path === "" && place.revision !== undefined) throw chooseFile(name, await filesBelow(server, place, ""));
  if (path === "") return undefined;
  const entries = await listArtifacts(server, place, folder);
  const found = entries.find((entry) => entry.path === path);
  if (found && !found.isFolder) return found;
  if (found) throw chooseFile(name, await filesBelow(server, place, path));
  const names = entries.map((entry) => entry.path);
  const similar = similarNames(path, names);
  throw new CheckpointNotFoundError("NOT_FOUND", `There is no ${name}: MLflow lists no such artifact.`, {
    details: { name, artifacts: names.slice(0, 50) },
    suggestions: [
      similar.length > 0
        ? `Similar names there: ${similar.join(", ")}.`
        : names.length > 0
          ? `There are ${someNames(names)}.`
          : "No artifacts are there.",
    ],
  });
}

/** Names of files in a folder and the folders in it, one level deep: where models keep their weights. */
async function filesBelow(server: TrackingServer, place: ArtifactPlace, folder: string): Promise<string[]> {
  const entries = await listArtifacts(server, place, folder);
  const inner = await Promise.all(
    entries
      .filter(({ isFolder }) => isFolder)
      .slice(0, 8)
      .map(({ path }) => listArtifacts(server, place, path)),
  );
  return [...entries, ...inner.flat()]
    .filter(({ isFolder }) => !isFolder)
    .map(({ path }) => path.slice(folder === "" ? 0 : folder.length + 1));
}

function chooseFile(name: string, files: readonly string[]): CheckpointConfigError {
  const checkpoints = files.filter(looksLikeCheckpoint);
  return new CheckpointConfigError("INVALID_ARGUMENT", `${name} is a folder of artifacts; the address of a file in it is needed.`, {
    details: { name, files: files.slice(0, 50) },
    suggestions: [
      checkpoints[0] === undefined ? "Put the path of the file behind it." : `Try ${joinPath(name, checkpoints[0])}`,
      ...(files.length > 1 ? [`It holds ${someNames(files)}.`] : []),
    ],
  });
}
