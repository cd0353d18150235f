import { type ByteSource, countSource, httpSource } from "@ckptkit/core";
import { describe, expect, it } from "vitest";
import { openCheckpoint } from "../src/index.js";
import { concat, fields, sparseSource, text } from "./sparse-source.js";
import { dict, legacyStack, tensor, torchMembers, tuple } from "./torch-file.js";
import { buildZip, type Member } from "./zip-builder.js";

/** Law: whatever the file's size, opening takes four reads at the most and less than one byte in a hundred. */
const MOST_READS = 4;

const weights = (count: number, elements: number) =>
  dict(
    Array.from({ length: count }, (_, index) => [
      `model.layers.${index}.self_attention.query.weight`,
      tensor({ key: String(index), count: elements, size: tuple(elements), stride: tuple(1) }),
    ]),
  );

/** A torch archive with its storages between the pickle and the directory, as torch writes it; all weights are 0. */
function torchArchive(count: number, bytes: number, between: readonly Member[] = []): ByteSource {
  const elements = Math.floor(bytes / count / 4);
  const [main, ...rest] = torchMembers(weights(count, elements), {});
  const storages = Array.from({ length: count }, (_, index) => ({
    name: `archive/data/${index}`,
    size: elements * 4,
    crc: 0x1234,
    padding: 20,
    descriptor: elements * 4 >= 0xffffffff ? ("24" as const) : ("16" as const),
  }));
  return buildZip([main as Member, ...between, ...rest.slice(0, 1), ...storages, ...rest.slice(1)]);
}

function torchLegacy(count: number, bytes: number): ByteSource {
  const elements = Math.floor(bytes / count / 4);
  const keys = Array.from({ length: count }, (_, index) => String(index));
  const stack = legacyStack(weights(count, elements), keys);
  const step = 8 + elements * 4;
  const counts = keys.map((_, index) => ({ at: stack.length + index * step, bytes: fields([8, elements]) }));
  return sparseSource(stack.length + count * step, [{ at: 0, bytes: stack }, ...counts]);
}

function safetensors(count: number, bytes: number): ByteSource {
  const each = Math.floor(bytes / count / 4) * 4;
  const entry = (index: number) => ({ dtype: "F32", shape: [each / 4], data_offsets: [index * each, (index + 1) * each] });
  const json = JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, index) => [`layers.${index}`, entry(index)])));
  const header = text(json.padEnd(Math.ceil(json.length / 8) * 8));
  return sparseSource(8 + header.length + count * each, [{ at: 0, bytes: concat(fields([8, header.length]), header) }]);
}

const GB = 1e9;
const FILES: readonly (readonly [string, () => ByteSource, number])[] = [
  ["a torch archive of 1 GB with 300 tensors", () => torchArchive(300, GB), 300],
  ["a torch archive of 100 GB with 300 tensors", () => torchArchive(300, 100 * GB), 300],
  ["a torch archive of 100 GB with tensors over 4 GiB", () => torchArchive(10, 100 * GB), 10],
  ["a torch archive of 1 GB whose directory has over 64 KiB", () => torchArchive(2_000, GB), 2_000],
  ["a torch archive of 10 GB with a pickle of megabytes", () => torchArchive(10_000, 10 * GB), 10_000],
  [
    "a torch archive whose records are aligned to 4 KiB",
    () => torchArchive(300, GB, [{ name: "archive/.format_version", data: text("1"), padding: 4000 }]),
    300,
  ],
  ["a torch legacy file of 1 GB with 300 tensors", () => torchLegacy(300, GB), 300],
  ["a torch legacy file of 100 GB with 300 tensors", () => torchLegacy(300, 100 * GB), 300],
  ["a safetensors file of 1 GB with 300 tensors", () => safetensors(300, GB), 300],
  ["a safetensors file of 100 GB with 3,000 tensors", () => safetensors(3_000, 100 * GB), 3_000],
];

/** Each is put together once. */
const made = new Map<() => ByteSource, ByteSource>();
const fileOf = (make: () => ByteSource): ByteSource => {
  const file = made.get(make) ?? make();
  made.set(make, file);
  return file;
};

describe("opening reads the description and nothing else", () => {
  it.each(FILES)("%s", async (_, make, tensors) => {
    const source = countSource(fileOf(make));
    const checkpoint = await openCheckpoint(source);
    expect(checkpoint.tensors.length).toBe(tensors);
    expect(checkpoint.findings).toEqual([]);
    expect(source.counts.reads).toBeLessThanOrEqual(MOST_READS);
    expect(source.counts.bytesRead).toBeLessThan(source.size / 100);
  });

  it.each(FILES)("%s, over HTTP with no more requests than that", async (_, make, tensors) => {
    const file = fileOf(make);
    let requests = 0;
    const fetch = async (__: string, init: RequestInit): Promise<Response> => {
      requests++;
      const [, first = 0, last = 0] = (/^bytes=(\d+)-(\d+)$/.exec(new Headers(init.headers).get("range") ?? "") ?? []).map(Number);
      const end = Math.min(last + 1, file.size);
      const body = await file.read(first, end);
      const headers = { "content-range": `bytes ${first}-${end - 1}/${file.size}`, "content-length": String(body.length) };
      return new Response(body.slice(), { status: 206, headers });
    };
    const checkpoint = await openCheckpoint(await httpSource("https://example.org/file", { fetch }));
    expect(checkpoint.tensors.length).toBe(tensors);
    expect(requests).toBeLessThanOrEqual(MOST_READS);
  });

  it("a small file of any format with a single read", async () => {
    for (const file of [torchArchive(10, 10_000), torchLegacy(10, 10_000), safetensors(10, 10_000)]) {
      const source = countSource(file);
      await openCheckpoint(source);
      expect(source.counts).toEqual({ reads: 1, bytesRead: file.size });
    }
  });

  it("and the first bytes of a tensor of a large archive with two reads more", async () => {
    const source = countSource(torchArchive(300, 100 * GB));
    const { tensors } = await openCheckpoint(source);
    const before = { ...source.counts };
    const tensor = tensors[150];
    await tensor?.readInto(new Uint8Array(1 << 20), 0);
    expect(source.counts.reads - before.reads).toBeLessThanOrEqual(2);
    expect(source.counts.bytesRead - before.bytesRead).toBeLessThan(1.2 * (1 << 20));
  });
});
