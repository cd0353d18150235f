import { type ByteSource, blobSource, CheckpointNotFoundError } from "@ckptkit/core";

/** Whether an address is a `blob:` URL, which stands for a Blob of this browser. */
export const isBlobUrl = (uri: string): boolean => /^blob:/i.test(uri);

/**
 * The Blob behind a `blob:` URL of this site.
 *
 * @throws {CheckpointNotFoundError} NOT_FOUND when the URL has been revoked, or is of another site
 * @example const source = await blobUrlSource(URL.createObjectURL(file));
 */
export async function blobUrlSource(url: string): Promise<ByteSource> {
  let blob: Blob;
  try {
    blob = await (await fetch(url)).blob();
  } catch (cause) {
    throw new CheckpointNotFoundError("NOT_FOUND", "There is no Blob behind this blob: address any more.", {
      suggestions: [
        "Such an address ends with the page that made it, and when it is revoked: pass on the File or Blob itself.",
        "On a page with a Content-Security-Policy, connect-src has to allow blob: addresses.",
      ],
      cause,
    });
  }
  return blobSource(blob, "blob");
}
