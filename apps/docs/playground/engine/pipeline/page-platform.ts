import { browserPlatform } from "@ckptkit/browser";
import {
  type ByteSink,
  type ByteSource,
  CheckpointError,
  CheckpointNotFoundError,
  type OperationOptions,
  type Platform,
} from "@ckptkit/core";
import { siblingAddress } from "@ckptkit/formats";
import { gatedSource } from "../gate.js";
import type { Session, Sessions } from "../sessions.js";

const HAS_SCHEME = /^[a-z][a-z0-9+.-]*:/i;

/** The name by which a pipeline opens an open checkpoint: its address where anybody can reach it, else its file's name. */
export function pipelineName({ info, way }: Session): string {
  if (way.isPublic) return way.uri;
  return HAS_SCHEME.test(info.name) || info.origin.kind === "address" ? (info.name.split("/").at(-1) ?? info.name) : info.name;
}

/** The names of all open checkpoints, the newest first. */
export const openNames = (sessions: Sessions): string[] => [...new Set(sessions.all().map(pipelineName).reverse())];

/**
 * The platform of pipelines in a page. A path without a scheme is a checkpoint that is open in the page, or a file beside one; addresses are
 * reached as everywhere in a browser.
 *
 * @param create where paths without a scheme are written.
 */
export function pagePlatform(sessions: Sessions, create: (path: string) => Promise<ByteSink>): Platform {
  const web = browserPlatform();
  return {
    ...web,
    open: (uri, options = {}) => (HAS_SCHEME.test(uri) ? web.open(uri, options) : openHere(sessions, uri, options)),
    create: (uri) => (/^(?:s3a?|opfs):/i.test(uri) ? web.create(uri) : create(uri)),
  };
}

async function openHere(sessions: Sessions, path: string, options: OperationOptions): Promise<ByteSource> {
  const open = sessions.all().reverse();
  const named = open.find((session) => pipelineName(session) === path || session.info.name === path);
  if (named) return gatedSource(await named.way.open(named.way.uri, options));
  // Shards, and configuration of adapters, stand beside a file that was chosen with its folder.
  for (const { way } of open) {
    const source = await way.open(siblingAddress(way.uri, path), options).catch((error: unknown) => {
      if (error instanceof CheckpointError && !options.signal?.aborted) return undefined;
      throw error;
    });
    if (source) return gatedSource(source);
  }
  const names = openNames(sessions);
  throw new CheckpointNotFoundError("NOT_FOUND", `No file ${path} is open in this page, which sees only files that it was given.`, {
    details: { path, open: names },
    suggestions: [
      ...(names.length > 0 ? [`Open here: ${names.join(", ")}.`] : []),
      "Choose the file beside the variable, or give an address: https://, hf://, s3://.",
    ],
  });
}
