import { isSpecified, type ValueTruth } from "@ckptkit/testkit";
import { loadManifest } from "@ckptkit/testkit/vite";
import { describe, expect, it } from "vitest";
import { expectTensorsOf, openFixture } from "./truth.js";
import { valueAt } from "./values.js";

const fixtures = await loadManifest();

describe.each(fixtures.map((entry) => [entry.file, entry] as const))("%s", (file, entry) => {
  it("opens with the format, layout and size that it has", async () => {
    const checkpoint = await openFixture(file);
    expect([checkpoint.format, checkpoint.layout]).toEqual([entry.format, entry.layout]);
    expect(checkpoint.uri).toBe(file);
    if (!entry.parts) expect(checkpoint.byteLength).toBe(entry.byteLength);
    for (const [key, value] of Object.entries(entry.truth.metadata)) expect(checkpoint.metadata[key], key).toBe(value);
  });

  it("gives every tensor with the bytes that torch and safetensors give", async () => {
    await expectTensorsOf(await openFixture(file), entry);
  });

  it("has findings only where there is something to tell", async () => {
    const { findings } = await openFixture(file);
    expect(findings.map(({ rule }) => rule)).toEqual(EXPECTED_FINDINGS[file] ?? []);
  });

  const values = (entry.truth.values ?? []).filter(({ keys }) => isSpecified(entry, keys.join(".")));
  if (values.length > 0) {
    it("gives every plain value that Python gives", async () => {
      const { tree } = await openFixture(file);
      for (const truth of values) expect(valueAt(tree, truth.keys), JSON.stringify(truth.keys)).toEqual(asSeen(truth));
    });
  }
});

/** Why these files are in the fixtures says their note in the manifest. */
const EXPECTED_FINDINGS: Readonly<Record<string, readonly string[]>> = {
  "no-crc.pt": ["no-crc"],
  "skip-data.pt": ["weights-not-written"],
};

/** A tree keeps no difference between bytes and a bytearray. */
const asSeen = ({ type, value }: ValueTruth): Pick<ValueTruth, "type" | "value"> => ({
  type: type === "bytearray" ? "bytes" : type,
  value,
});
