import { loadFixture, loadManifest } from "@ckptkit/testkit/vite";
import { describe, expect, it } from "vitest";

describe("fixtures everywhere", () => {
  it("have the bytes that the manifest tells of, whatever their name", async () => {
    const hex = async (bytes: Uint8Array<ArrayBuffer>): Promise<string> =>
      Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    for (const { file, sha256, parts } of await loadManifest()) {
      expect(await hex(await loadFixture(file)), file).toBe(sha256);
      for (const part of parts ?? []) expect((await loadFixture(part)).length).toBeGreaterThan(0);
    }
  });

  it("say which file is not there", async () => {
    await expect(loadFixture("no-such.pt")).rejects.toThrow('no fixture file "no-such.pt"');
  });
});
