import { type CheckpointError, memorySource, withLimits } from "@ckptkit/core";
import { examineZip, openCheckpoint } from "@ckptkit/formats";
import { damage, seededRandom } from "@ckptkit/testkit";
import { readFixture } from "@ckptkit/testkit/node";
import { loadKernels } from "@ckptkit/wasm";
import { describe, expect, it } from "vitest";
import { isComplete, type RepairReport, type RepairTarget, repairCheckpoint } from "../src/repair/index.js";
import { memoryFolder } from "./opened.js";

const kernels = await loadKernels();

/** Bytes of every tensor by its path, as the undamaged file has them. */
async function originalOf(file: string): Promise<Map<string, { name: string; bytes: string; storage: string | undefined }>> {
  const checkpoint = await openCheckpoint(memorySource(await readFixture(file), file));
  const tensors = new Map<string, { name: string; bytes: string; storage: string | undefined }>();
  for (const tensor of checkpoint.tensors) {
    if (!tensor.storage) continue;
    const text = `${tensor.dtype} ${tensor.shape} ${Buffer.from(await tensor.read()).toString("base64")}`;
    tensors.set(tensor.path, { name: tensor.name, bytes: text, storage: tensor.storage.id });
  }
  return tensors;
}

interface Repaired {
  report?: RepairReport;
  error?: CheckpointError;
  /** dtype, shape and bytes by path. */
  saved: Map<string, string>;
  files: string[];
}

async function repair(bytes: Uint8Array, file: string, to: RepairTarget): Promise<Repaired> {
  const folder = memoryFolder();
  const saved = new Map<string, string>();
  try {
    const report = await repairCheckpoint(memorySource(bytes, file), folder.create, { kernels, fileName: "out", to });
    const written = await folder.open("out");
    for (const tensor of written.tensors) {
      if (tensor.storage) saved.set(tensor.path, `${tensor.dtype} ${tensor.shape} ${Buffer.from(await tensor.read()).toString("base64")}`);
    }
    return { report, saved, files: folder.names() };
  } catch (error) {
    return { error: error as CheckpointError, saved, files: folder.names() }; // what is thrown is looked at by the tests
  }
}

/** What was saved is what was there, and everything is accounted for. */
function expectTruth(original: Awaited<ReturnType<typeof originalOf>>, repaired: Repaired, to: RepairTarget, where: string): void {
  const { report, error, saved, files } = repaired;
  if (!report) {
    expect(error?.code, `${where}: ${error?.stack}`).toMatch(
      /^(NOTHING_SAVED|UNSUPPORTED_FORMAT|PICKLE_|TORCH_|ZIP_|TENSOR_|LIMIT_|SAFETENSORS_)/,
    );
    expect(files, where).toEqual([]);
    return;
  }
  const byName = new Map([...original.values()].map((tensor) => [tensor.name, tensor.bytes]));
  for (const [path, bytes] of saved) expect(bytes, `${where}: ${path}`).toBe(to === "torch" ? original.get(path)?.bytes : byName.get(path));
  if (to === "torch") expect(saved.size, where).toBe(report.saved);
  else expect(saved.size + report.ties.size, where).toBe(report.saved);
  for (const { message } of report.lost) expect(message, where).toMatch(/\.$/);
}

const TORCH = [
  "ties.pt",
  "views.pt",
  "empty-and-scalar.pt",
  "records-oldest.pt",
  "rezip-deflate.pt",
  "big-endian.pt",
  "no-crc.pt",
  "anemoi.ckpt",
];
const SAFETENSORS = ["st-basic.safetensors", "st-dtypes.safetensors", "st-empty-tensors.safetensors", "st-names.safetensors"];

describe("a torch archive that is cut off", () => {
  it.each(TORCH)("gives every tensor of %s whose record is whole, and never a wrong value", async (file) => {
    const bytes = await readFixture(file);
    const original = await originalOf(file);
    const { members } = await examineZip(memorySource(bytes, file), withLimits());
    const starts = members.map(({ at }) => at).sort((a, b) => a - b);
    const random = seededRandom(bytes.length);
    const cuts = [...starts, ...starts.map((at) => at - 1), ...Array.from({ length: 60 }, () => random.integer(bytes.length))];
    for (const cut of cuts) {
      if (cut < 0) continue;
      const repaired = await repair(bytes.subarray(0, cut), file, "torch");
      const where = `${file} cut off after ${cut} of ${bytes.length} bytes`;
      expectTruth(original, repaired, "torch", where);
      // A record is whole where the next one begins before the cut.
      const whole = members.filter(({ at }) => starts.some((start) => start > at && start <= cut)).map(({ name }) => name);
      if (!whole.some((name) => name.endsWith("/data.pkl"))) continue;
      for (const [path, { storage }] of original) {
        if (whole.some((name) => name.endsWith(`/data/${storage}`))) expect([...repaired.saved.keys()], where).toContain(path);
      }
    }
  });

  it("says of each lost tensor why, and is not complete", async () => {
    const bytes = await readFixture("vit-tiny.ckpt");
    const { report } = await repair(bytes.subarray(0, 200_000), "vit-tiny.ckpt", "safetensors");
    if (!report) throw new Error("nothing was saved");
    expect(isComplete(report)).toBe(false);
    expect(report.saved).toBeGreaterThan(20);
    expect(new Set(report.lost.map(({ reason }) => reason))).toEqual(new Set(["cut-off", "missing"]));
    expect(report.lost.find(({ reason }) => reason === "cut-off")?.message).toMatch(
      /^The file ends within the record archive\/data\/\d+: \d+ of \d+ bytes are there\.$/,
    );
  });
});

describe("an archive that is damaged elsewhere", () => {
  it("loses the tensors of a storage whose checksum does not hold, and no other", async () => {
    const bytes = await readFixture("vit-tiny.ckpt");
    const original = await originalOf("vit-tiny.ckpt");
    const { members } = await examineZip(memorySource(bytes, "vit-tiny.ckpt"), withLimits());
    const victim = members.find(({ name }) => name.endsWith("/data/5"));
    const changed = bytes.slice();
    const at = (victim?.at ?? 0) + 120;
    changed[at] = (changed[at] ?? 0) ^ 1;
    const repaired = await repair(changed, "vit-tiny.ckpt", "torch");
    expectTruth(original, repaired, "torch", "one bit of data/5");
    const gone = [...original].filter(([, { storage }]) => storage === "5").map(([path]) => path);
    expect(repaired.report?.lost.map(({ path, reason }) => [path, reason])).toEqual(gone.map((path) => [path, "damaged"]));
    expect(repaired.saved.size).toBe(original.size - gone.length);
  });

  it("saves all where only the directory is lost, and the pickle's other values with it", async () => {
    const bytes = await readFixture("vit-tiny.ckpt");
    const original = await originalOf("vit-tiny.ckpt");
    const changed = bytes.slice();
    changed.fill(0, changed.length - 2000);
    const folder = memoryFolder();
    const report = await repairCheckpoint(memorySource(changed, "vit-tiny.ckpt"), folder.create, { kernels, fileName: "out", to: "torch" });
    expect([report.lost, report.saved]).toEqual([[], original.size]);
    expect(isComplete(report)).toBe(true);
    const written = await folder.open("out");
    const before = await openCheckpoint(memorySource(bytes, "vit-tiny.ckpt"));
    expect(written.layout).toBe("lightning");
    expect(written.metadata).toEqual(before.metadata);
  });

  it("saves a whole file as it is", async () => {
    for (const file of [...TORCH, "quantized.pt", "vit-tiny.ckpt", "st-basic.safetensors", "st-names.safetensors"]) {
      const repaired = await repair(await readFixture(file), file, "torch");
      expect(repaired.report?.lost, file).toEqual([]);
      expectTruth(await originalOf(file), repaired, "torch", file);
    }
  });

  it("never gives a wrong value, whatever happens to a file with checksums", async () => {
    for (const file of ["ties.pt", "rezip-deflate.pt", "records-oldest.pt", "quantized.pt", "vit-tiny.ckpt"]) {
      const bytes = await readFixture(file);
      const original = await originalOf(file);
      for (let seed = 0; seed < 80; seed++) {
        const damaged = damage(bytes, seed);
        expectTruth(original, await repair(damaged.bytes, file, "torch"), "torch", `${file}, ${damaged.description}`);
      }
    }
  });

  it("refuses a file whose pickle is damaged, for it says what the tensors are", async () => {
    const bytes = (await readFixture("vit-tiny.ckpt")).slice();
    bytes[5000] = (bytes[5000] ?? 0) ^ 4;
    const { error, files } = await repair(bytes, "vit-tiny.ckpt", "safetensors");
    expect([error?.code, error?.message, files]).toEqual([
      "NOTHING_SAVED",
      expect.stringContaining("data.pkl, which says what the tensors are, is damaged"),
      [],
    ]);
  });

  it("does not take the records of a file within a lost tensor for its own", async () => {
    // A tensor that holds a whole checkpoint, whose own pickle names the same storages.
    const inner = await readFixture("ties.pt");
    const folder = memoryFolder();
    const { writeTorch } = await import("@ckptkit/formats");
    const { Storage } = await import("@ckptkit/core");
    const spec = (id: string, data: Uint8Array) => ({
      dtype: "U8",
      shape: [data.length],
      storage: new Storage({ id, bytes: memorySource(data, id) }),
      byteOffset: 0,
    });
    const tree = {
      kind: "map" as const,
      type: "dict",
      entries: [
        ["file", { kind: "tensor" as const, tensor: spec("a", inner) }],
        ["b", { kind: "tensor" as const, tensor: spec("b", new Uint8Array(100).fill(7)) }],
      ] as [string, never][],
    };
    const { outputTensor } = await import("../src/output-tensor.js");
    await writeTorch(tree, (tensor, name) => outputTensor(name, tensor, tensor.storage?.id ?? "", undefined, kernels), folder.create, {
      kernels,
      fileName: "ties.pt",
      buffer: new Uint8Array(1 << 16),
    });
    const bytes = folder.bytes("ties.pt");
    const whole = await repair(bytes, "ties.pt", "torch");
    expect(whole.report?.lost).toEqual([]);
    for (let cut = inner.length - 2000; cut < bytes.length; cut += 37) {
      const { saved, report } = await repair(bytes.subarray(0, cut), "ties.pt", "torch");
      for (const [path, value] of saved) expect(value, `${path} at ${cut}`).toBe(whole.saved.get(path));
      if (report) expect(report.saved + report.lost.length).toBe(2);
    }
  });
});

describe("a safetensors file", () => {
  it.each(SAFETENSORS)("%s, cut off anywhere, gives every tensor that is whole", async (file) => {
    const bytes = await readFixture(file);
    const original = await originalOf(file);
    const headerEnd = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
    const random = seededRandom(3);
    for (let turn = 0; turn < 60; turn++) {
      const cut = turn < 40 ? headerEnd + random.integer(bytes.length - headerEnd + 1) : random.integer(headerEnd);
      const repaired = await repair(bytes.subarray(0, cut), file, "safetensors");
      expectTruth(original, repaired, "safetensors", `${file} cut off after ${cut}`);
      if (cut < headerEnd) expect(repaired.error?.code).toMatch(/^(NOTHING_SAVED|UNSUPPORTED_FORMAT)$/);
      if (repaired.report) expect(repaired.report.saved + repaired.report.lost.length).toBe(original.size);
    }
  });

  /** The file with its header's text changed to one of the same length. */
  async function withHeader(change: (text: string) => string): Promise<Uint8Array> {
    const bytes = (await readFixture("st-basic.safetensors")).slice();
    const end = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
    const text = change(new TextDecoder().decode(bytes.subarray(8, end)));
    const encoded = new TextEncoder().encode(text);
    expect(encoded.length).toBe(end - 8);
    bytes.set(encoded, 8);
    return bytes;
  }

  it("whose header's JSON is broken in one entry gives all the others", async () => {
    const original = await originalOf("st-basic.safetensors");
    for (const change of [
      (text: string) => text.replace('"dtype"', '"dtype\u0001'),
      (text: string) => text.replace('"data_offsets":[', '"data_offsets":{'),
      (text: string) => text.replace('"shape":[', '"shape":x'),
    ]) {
      const repaired = await repair(await withHeader(change), "st-basic.safetensors", "safetensors");
      expectTruth(original, repaired, "safetensors", change.toString());
      expect(repaired.saved.size).toBe(original.size - 1);
      if (repaired.report) expect(isComplete(repaired.report)).toBe(false);
    }
  });

  it("whose length field is damaged gives all tensors, where the rest of the file proves where the data begins", async () => {
    const original = await originalOf("st-basic.safetensors");
    for (const [at, value] of [
      [7, 0x40],
      [0, 0x03],
      [1, 0xff],
      [3, 0x01],
    ] as const) {
      const bytes = (await readFixture("st-basic.safetensors")).slice();
      bytes[at] = value;
      const repaired = await repair(bytes, "st-basic.safetensors", "safetensors");
      expectTruth(original, repaired, "safetensors", `byte ${at}`);
      expect(repaired.saved.size, `byte ${at}: ${repaired.error?.message}`).toBe(original.size);
    }
  });

  it("keeps its metadata", async () => {
    const { metadata } = await openCheckpoint(memorySource(await readFixture("st-basic.safetensors"), "a.safetensors"));
    const folder = memoryFolder();
    await repairCheckpoint(memorySource(await readFixture("st-basic.safetensors"), "a"), folder.create, {
      kernels,
      fileName: "out",
      to: "safetensors",
    });
    expect((await folder.open("out")).metadata).toEqual(metadata);
  });
});

it("refuses what it cannot repair, and writes nothing", async () => {
  for (const file of ["legacy-mixed.pt", "st-sharded.safetensors.index.json"]) {
    const { error, files } = await repair(await readFixture(file), file, "safetensors");
    expect([error?.code, files]).toEqual(["UNSUPPORTED_FORMAT", []]);
  }
});
