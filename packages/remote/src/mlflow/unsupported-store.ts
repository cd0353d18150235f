import { CheckpointSourceError } from "@ckptkit/core";

/** The error for an artifact in a store that is not read here. */
export function unsupportedStore(uri: string, name: string): CheckpointSourceError {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(uri)?.[1]?.toLowerCase() ?? "a path";
  return new CheckpointSourceError("UNSUPPORTED_URI", `${name} is kept in a store of the kind ${scheme}, which cannot be read here.`, {
    details: { name, scheme },
    suggestions: ["Stores that are read: the server's own proxy (mlflow server --serve-artifacts), S3, web servers, and paths in Node.js."],
  });
}
