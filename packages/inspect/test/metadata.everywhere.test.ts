import { type EditableFile, memorySink, memorySource, withLimits } from "@ckptkit/core";
import { examineZip, openCheckpoint } from "@ckptkit/formats";
import { codeOf } from "@ckptkit/testkit";
import { loadKernels } from "@ckptkit/wasm";
import { expect, it } from "vitest";
import { auditSource } from "../src/audit/index.js";
import { convertCheckpoint } from "../src/index.js";
import { editMetadata, type MetadataUpdate, readMetadata } from "../src/metadata/index.js";
import { ascii, concat, HARMLESS, little, zip } from "./hostile.js";

const kernels = await loadKernels();

/** A file in memory that can be changed in its place. */
function editable(bytes: Uint8Array, name: string): { file: EditableFile; bytes: () => Uint8Array } {
  let now = bytes;
  const file: EditableFile = {
    source: memorySource(bytes, name),
    async patch(patches, size) {
      const changed = new Uint8Array(Math.max(size, now.length));
      changed.set(now);
      for (const { at, bytes: by } of patches) changed.set(by, at);
      now = changed.slice(0, size);
    },
    close: async () => undefined,
  };
  return { file, bytes: () => now };
}

/** Changes a file, and gives it back with the report. */
async function changed(bytes: Uint8Array, name: string, update: MetadataUpdate) {
  const { file, bytes: after } = editable(bytes, name);
  const report = await editMetadata(file, update);
  return { report, bytes: after() };
}

const WEIGHTS = Uint8Array.from({ length: 64 }, (_, index) => index);

/** A safetensors file with one tensor, whose header has so many spaces at its end. */
function safetensors(header: string, spaces = 0): Uint8Array {
  const padded = header + " ".repeat(spaces);
  return concat(little(padded.length, 8), padded, WEIGHTS);
}

const TENSOR = '"w": {"dtype":"F32","shape":[4,4],"data_offsets":[0,64]}';
const headerOf = (bytes: Uint8Array): string => {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  return new TextDecoder().decode(bytes.slice(8, 8 + length));
};

it("prints the metadata of safetensors, and changes them within the header's room", async () => {
  const before = safetensors(`{"__metadata__": {"format":"pt","step":"10"}, ${TENSOR}}`, 41);
  expect(await readMetadata(memorySource(before, "m.safetensors"))).toEqual({
    uri: "m.safetensors",
    format: "safetensors",
    place: "__metadata__",
    metadata: { format: "pt", step: "10" },
  });
  const { report, bytes } = await changed(before, "m.safetensors", { set: { step: "20", author: "me", depth: 3 }, remove: ["format"] });
  expect(report).toMatchObject({ how: "in place", set: ["step", "author", "depth"], removed: ["format"] });
  expect(report.metadata).toEqual({ step: "20", author: "me", depth: "3" });
  expect(bytes.length).toBe(before.length);
  expect(bytes.subarray(-64)).toEqual(WEIGHTS);
  expect(JSON.parse(headerOf(bytes))).toEqual({ __metadata__: { step: "20", author: "me", depth: "3" }, ...JSON.parse(`{${TENSOR}}`) });
  expect((await openCheckpoint(memorySource(bytes, "m.safetensors"))).findings).toEqual([]);
});

it("keeps entries of tensors as they are written, keys of any name, and takes the last value away with the map", async () => {
  const entry = '"__proto__":{"data_offsets":[0,64],"shape":[16],"dtype":"F32"}';
  const before = safetensors(`{${entry},"__metadata__":{"__proto__":"a","\\u00e9":"b"}}`, 60);
  const { bytes, report } = await changed(before, "m.safetensors", { set: { constructor: "c" } });
  expect(headerOf(bytes).trimEnd()).toBe(`{${entry},"__metadata__":{"__proto__":"a","é":"b","constructor":"c"}}`);
  expect(Object.keys(report.metadata)).toEqual(["__proto__", "é", "constructor"]);
  const none = await changed(before, "m.safetensors", { remove: ["__proto__", "é"] });
  expect(headerOf(none.bytes).trimEnd()).toBe(`{${entry}}`);
});

it("says how many bytes are missing, and writes the file anew where that is allowed, with room for later changes", async () => {
  const before = safetensors(`{${TENSOR}}`, 3);
  const { file, bytes } = editable(before, "m.safetensors");
  const refusal = editMetadata(file, { set: { note: "x".repeat(100) } });
  expect(await codeOf(refusal)).toBe("METADATA_NO_ROOM");
  await refusal.catch((error: { details: unknown; suggestions: string[] }) => {
    const needed = JSON.stringify({ __metadata__: { note: "x".repeat(100) }, ...JSON.parse(`{${TENSOR}}`) }).length;
    const room = before.length - 64 - 8;
    expect(error.details).toMatchObject({ missingBytes: needed - room });
    expect(error.suggestions.join(" ")).toContain("--rewrite");
  });
  expect(bytes()).toEqual(before);
  const sink = memorySink();
  const report = await editMetadata(file, { set: { note: "x".repeat(100) } }, { rewrite: async () => sink });
  const written = sink.bytes ?? new Uint8Array(0);
  expect(report).toMatchObject({ how: "rewritten", bytesWritten: written.length });
  expect(written.subarray(-64)).toEqual(WEIGHTS);
  expect((written.length - 64) % 4096).toBe(0);
  expect((await readMetadata(memorySource(written))).metadata).toEqual({ note: "x".repeat(100) });
  const again = await changed(written, "m.safetensors", { set: { more: "y".repeat(2000) } });
  expect(again.report.how).toBe("in place");
});

it.each([
  ["a key that is not there", { remove: ["stepp"] }, 'Did you mean "step"?'],
  ["a key that is set and removed", { set: { step: "1" }, remove: ["step"] }, "to be set and to be removed"],
  ["half a surrogate pair", { set: { step: "\ud800" } }, "surrogate"],
])("refuses %s", async (_, update, words) => {
  const { file, bytes } = editable(safetensors(`{"__metadata__":{"step":"1"},${TENSOR}}`, 40), "m.safetensors");
  const before = bytes();
  const refused = editMetadata(file, update);
  expect(await codeOf(refused)).toBe("INVALID_ARGUMENT");
  await refused.catch((error: Error & { suggestions: string[] }) =>
    expect(`${error.message} ${error.suggestions.join(" ")}`).toContain(words),
  );
  expect(bytes()).toBe(before);
});

it("writes nothing where nothing changes", async () => {
  const before = safetensors(`{"__metadata__":{"step":"1"},${TENSOR}}`);
  const { report, bytes } = await changed(before, "m.safetensors", { set: { step: "1" } });
  expect([report.how, report.bytesWritten]).toEqual(["unchanged", 0]);
  expect(bytes).toBe(before);
});

/** An archive as torch.save writes it, with records of metadata. */
async function archive(records: Readonly<Record<string, string | Uint8Array>> = {}): Promise<Uint8Array> {
  const checkpoint = await openCheckpoint(memorySource(safetensors(`{${TENSOR}}`), "m.safetensors"));
  const sink = memorySink("model.pt");
  await convertCheckpoint(checkpoint, async () => sink, {
    kernels,
    fileName: "model.pt",
    to: "state_dict",
    records: new Map(Object.entries(records).map(([name, value]) => [name, typeof value === "string" ? ascii(value) : value])),
  });
  return sink.bytes ?? new Uint8Array(0);
}

/** The archive is whole, holds nothing hidden, and its tensors are where and what they were. */
async function expectSound(bytes: Uint8Array, before: Uint8Array): Promise<void> {
  const [old, now] = await Promise.all([before, bytes].map((one) => openCheckpoint(memorySource(one, "model.pt"))));
  expect(now?.findings).toEqual([]);
  expect(now?.tensors.map(({ spec }) => spec.storage?.fileOffset)).toEqual(old?.tensors.map(({ spec }) => spec.storage?.fileOffset));
  for (const tensor of now?.tensors ?? []) expect(await tensor.read()).toEqual(WEIGHTS);
  const { findings, hidden } = await examineZip(memorySource(bytes, "model.pt"), withLimits());
  expect([findings, hidden]).toEqual([[], []]);
  expect((await auditSource(memorySource(bytes, "model.pt"))).verdict).toBe("clean");
}

it("puts anemoi's record behind the tensors of an archive, and changes it there again and again", async () => {
  const before = await archive();
  const first = await changed(before, "model.pt", { set: { version: "1.0", run: { id: 7 } } });
  expect(first.report).toMatchObject({ place: "model/anemoi-metadata/anemoi.json", how: "in place", format: "torch-zip" });
  await expectSound(first.bytes, before);
  const second = await changed(first.bytes, "model.pt", { set: { note: "longer".repeat(100) }, remove: ["run"] });
  await expectSound(second.bytes, before);
  const third = await changed(second.bytes, "model.pt", { remove: ["note"] });
  await expectSound(third.bytes, before);
  expect(third.bytes.length).toBeLessThan(first.bytes.length);
  const opened = await openCheckpoint(memorySource(third.bytes, "model.pt"));
  expect(opened.metadata).toMatchObject({ "anemoi.json": { version: "1.0" } });
});

it("changes the record that an archive has, the older one too, and reads both", async () => {
  const both = await archive({ "anemoi-metadata/ai-models.json": '{"old": 1}', "anemoi-metadata/anemoi.json": '{"new": 2}' });
  const opened = await openCheckpoint(memorySource(both, "model.pt"));
  expect(opened.metadata).toMatchObject({ "anemoi.json": { new: 2 }, "ai-models.json": { old: 1 } });
  expect(await readMetadata(memorySource(both))).toMatchObject({ place: "model/anemoi-metadata/anemoi.json", metadata: { new: 2 } });
  const older = await archive({ "ai-models.json": '{"old": 1}' });
  const { report, bytes } = await changed(older, "model.pt", { set: { old: [1, 2] } });
  expect(report).toMatchObject({ place: "model/ai-models.json", metadata: { old: [1, 2] } });
  await expectSound(bytes, older);
});

it("leaves values that it does not change to the letter: NaN, long integers, spaces", async () => {
  const text = '{"nan":  NaN, "big": 123456789012345678901234567890, "inf": [-Infinity, 1.50], "s": "a\\"}NaN", "\\u00e9": {"x" : 1e5}}';
  const before = await archive({ "anemoi-metadata/anemoi.json": text });
  expect((await readMetadata(memorySource(before))).metadata).toEqual({
    nan: { $float: "nan" },
    big: "123456789012345678901234567890",
    inf: [{ $float: "-inf" }, 1.5],
    s: 'a"}NaN',
    é: { x: 100000 },
  });
  const { metadata } = await readMetadata(memorySource(before));
  const { bytes, report } = await changed(before, "model.pt", { set: { ...metadata, added: true } });
  expect(report.set).toEqual(["added"]);
  const found = new TextDecoder("latin1").decode(bytes);
  expect(found).toContain(
    '{"nan": NaN, "big": 123456789012345678901234567890, "inf": [-Infinity, 1.50], "s": "a\\"}NaN", "\xc3\xa9": {"x" : 1e5}, "added": true}',
  );
});

it("moves records that stand behind the changed one, and keeps them and their alignment", async () => {
  const array = Uint8Array.from({ length: 1000 }, (_, index) => index % 251);
  const before = await archive({ "anemoi-metadata/anemoi.json": '{"a": 1}', "anemoi-metadata/latitudes.numpy": array });
  for (const note of ["", "x", "x".repeat(63), "x".repeat(500), "x".repeat(70_000)]) {
    const { bytes } = await changed(before, "model.pt", { set: { note } });
    await expectSound(bytes, before);
    const { members } = await examineZip(memorySource(bytes, "model.pt"), withLimits());
    const found = members.find(({ name }) => name.endsWith("latitudes.numpy"))?.content;
    expect(await found?.read(0, found.size)).toEqual(array);
    const shorter = await changed(bytes, "model.pt", { remove: ["note"] });
    await expectSound(shorter.bytes, before);
  }
});

it("does not move tensors: a record between them is changed in its room or by writing the file anew", async () => {
  const before = zip([
    { name: "m/data.pkl", data: HARMLESS },
    { name: "m/anemoi-metadata/anemoi.json", data: ascii(`{"note": "${"x".repeat(200)}"}`) },
    { name: "m/data/0", data: WEIGHTS },
  ]);
  const { report } = await changed(before, "model.pt", { set: { note: "shorter" } });
  expect(report.how).toBe("in place");
  const { file } = editable(before, "model.pt");
  expect(await codeOf(editMetadata(file, { set: { more: "y".repeat(300) } }))).toBe("METADATA_NO_ROOM");
  const sink = memorySink();
  await editMetadata(file, { set: { more: "y".repeat(300) } }, { rewrite: async () => sink });
  const { members, findings, hidden } = await examineZip(memorySource(sink.bytes ?? new Uint8Array(0)), withLimits());
  expect([findings, hidden]).toEqual([[], []]);
  expect(members.map(({ name }) => name)).toEqual(["m/data.pkl", "m/anemoi-metadata/anemoi.json", "m/data/0"]);
  expect(await members[2]?.content?.read(0, 64)).toEqual(WEIGHTS);
});

it("keeps an archive's comment", async () => {
  const before = zip([{ name: "m/data.pkl", data: HARMLESS }], { comment: ascii("made by hand") });
  const { bytes } = await changed(before, "model.pt", { set: { a: 1 } });
  expect(new TextDecoder().decode(bytes.slice(-12))).toBe("made by hand");
  expect((await readMetadata(memorySource(bytes))).metadata).toEqual({ a: 1 });
});

it.each([
  ["no JSON", "{'a': 1}"],
  ["a list", "[1]"],
  ["cut off", '{"a": "b'],
  ["too deep", `{"a": ${"[".repeat(5000)}${"]".repeat(5000)}}`],
])("takes a record of metadata that is %s for a finding when it opens the tensors, and refuses to change it", async (_, text) => {
  const before = await archive({ "anemoi-metadata/anemoi.json": text });
  const opened = await openCheckpoint(memorySource(before, "model.pt"));
  expect(opened.tensors).toHaveLength(1);
  expect(opened.findings.map(({ rule }) => rule)).toEqual(["anemoi-metadata"]);
  expect(await codeOf(readMetadata(memorySource(before)))).toMatch(/^(METADATA_CORRUPT|LIMIT_EXCEEDED)$/);
});

it("names the formats that can be changed where another is to be", async () => {
  const checkpoint = await openCheckpoint(memorySource(safetensors(`{${TENSOR}}`), "m.safetensors"));
  const sink = memorySink("model.gguf");
  await convertCheckpoint(checkpoint, async () => sink, { kernels, fileName: "model.gguf", to: "gguf" });
  const { file } = editable(sink.bytes ?? new Uint8Array(0), "model.gguf");
  const refused = editMetadata(file, { set: { a: 1 } });
  expect(await codeOf(refused)).toBe("METADATA_FIXED");
  await refused.catch((error: Error & { suggestions: string[] }) => expect(error.suggestions[0]).toContain("safetensors, torch-zip"));
  expect(await readMetadata(file.source)).toMatchObject({ format: "gguf", place: null });
});
