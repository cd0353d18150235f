import { readFile } from "node:fs/promises";
import { memorySource } from "@ckptkit/core";
import { damage } from "@ckptkit/testkit";
import { corpus, fixtures, readFixture } from "@ckptkit/testkit/node";
import { describe, expect, it } from "vitest";
import { auditSource, VERDICTS } from "../src/audit/index.js";
import { audit, PAYLOAD, torchZip } from "./hostile.js";

const bytesOf = async (path: string): Promise<Uint8Array> => new Uint8Array(await readFile(path));

describe("files that real software made", () => {
  it.each(fixtures().filter(({ format }) => format !== "safetensors-sharded"))(
    "$file is clean, or has classes that are not known",
    async ({ path, file }) => {
      const { verdict, findings } = await audit(await bytesOf(path), file);
      expect(["clean", "unknown"], JSON.stringify(findings)).toContain(verdict);
    },
  );
});

describe.skipIf(!corpus())("files of public projects", () => {
  it.each(corpus() ?? [])("$file is not condemned", async ({ path, file }) => {
    const { verdict, findings } = await audit(await bytesOf(path), file);
    expect(["clean", "unknown", "inconclusive"], JSON.stringify(findings)).toContain(verdict);
  });

  it.each(corpus("torch-zip", "torch-legacy", "safetensors")?.filter(({ truth }) => !truth.error && !truth.invalid) ?? [])(
    "$file can be judged",
    async ({ path, file }) => {
      expect(["clean", "unknown"]).toContain((await audit(await bytesOf(path), file)).verdict);
    },
  );
});

describe("damaged files", () => {
  it("give a verdict and never throw", async () => {
    for (const file of ["vit-tiny.ckpt", "legacy-mixed.pt", "st-basic.safetensors", "rezip-deflate.pt", "numpy.pt"]) {
      const bytes = await readFixture(file);
      for (let seed = 0; seed < 60; seed++) {
        const damaged = damage(bytes, seed);
        const { verdict, reason } = await auditSource(memorySource(damaged.bytes, file));
        expect(VERDICTS, damaged.description).toContain(verdict);
        expect(reason, damaged.description).not.toBe("");
      }
    }
  });

  it("stay dangerous where the payload is whole", async () => {
    const bytes = torchZip(PAYLOAD);
    for (let length = 80; length <= bytes.length; length++) {
      expect((await audit(bytes.slice(0, length))).verdict, `${length} bytes`).toBe("dangerous");
    }
  });
});

it("an audit can be stopped", async () => {
  await expect(audit(torchZip(PAYLOAD), "a.pt", { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
});

it.each(["python-values-2.pt", "python-values-5.pt", "python-values.ckpt"])(
  "%s, every kind of value, holds but classes of its own project",
  async (file) => {
    const { verdict, globals } = await auditSource(memorySource(await readFixture(file), file));
    expect(verdict).toBe("unknown");
    for (const { module, verdict: judged } of globals) if (judged !== "clean") expect(module).toBe("myproject.config");
  },
);
