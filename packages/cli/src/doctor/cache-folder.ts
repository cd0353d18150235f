import { constants } from "node:fs";
import { access, stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { formatSize } from "@ckptkit/core";
import { defaultCopiesFolder } from "@ckptkit/node";
import type { Diagnosis } from "./diagnose.js";

/** Less than this, and the next download may not fit. */
const SCANT_BYTES = 2 * 1024 ** 3;

/** The folder of downloads: whether it can be written, and how much room there is. Makes nothing. */
export async function diagnoseCache(): Promise<Diagnosis> {
  const folder = defaultCopiesFolder();
  const existing = await nearestExisting(folder);
  const where = existing === folder ? folder : `${folder} (not there yet)`;
  try {
    await access(existing, constants.W_OK);
    if (!(await stat(existing)).isDirectory()) throw new Error(`${existing} is no folder`);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return {
      name: "downloads",
      status: "warning",
      found: `${where}: ${why}`,
      advice: "Name a folder that can be written with CKPTKIT_CACHE_DIR.",
    };
  }
  const { bavail, bsize } = await statfs(existing);
  const free = bavail * bsize;
  return {
    name: "downloads",
    status: free < SCANT_BYTES ? "warning" : "ok",
    found: `${where}, ${formatSize(free)} free`,
    ...(free < SCANT_BYTES && { advice: "Name a folder with more room with CKPTKIT_CACHE_DIR." }),
  };
}

async function nearestExisting(folder: string): Promise<string> {
  for (let at = folder; ; at = dirname(at)) {
    if (await stat(at).catch(() => undefined)) return at;
    if (dirname(at) === at) return at;
  }
}
