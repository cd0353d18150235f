import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** A folder of the test file's own, which is removed when its tests have run. */
export function tempFolder(): { folder: string; at: (name: string) => string } {
  const folder = mkdtempSync(join(tmpdir(), "ckptkit-node-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return { folder, at: (name) => join(folder, name) };
}
