import { withLimits } from "@ckptkit/core";
import { expect, it } from "vitest";
import { ascii, audit, concat, HARMLESS, PAYLOAD, rulesOf, safetensors, tar, torchZip, zip } from "./hostile.js";

/** Packed by what every engine has. */
async function packed(bytes: Uint8Array, form: "gzip" | "deflate"): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes.slice()]).stream().pipeThrough(new CompressionStream(form));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const gzip = (bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> => packed(bytes, "gzip");
const hex = (text: string): Uint8Array => Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));

/** A gzip file with the name of what is in it. */
async function named(bytes: Uint8Array, name: string): Promise<Uint8Array> {
  const plain = await gzip(bytes);
  plain[3] = 8;
  return concat(plain.subarray(0, 10), `${name}\0`, plain.subarray(10));
}

/** {@link PAYLOAD} as the programs of these names pack it: zstd 1.5.4, bzip2 1.0.8, xz 5.4.1, lz4 1.9.4. */
const BY_PROGRAM = {
  zstd: "28b52ffd241ce10000800263706f7369780a73797374656d0a58040000006563686f85522e35ace47b",
  bzip2:
    "425a6839314159265359ecb46a8900000d53c05410000110400a62cc6042002000229a1a699340f485309a680d31285208fe5857651a063b610c90507f177245385090ecb46a89",
  xz: "fd377a585a000004e6d6b4460200210116000000742fe5a301001b800263706f7369780a73797374656d0a58040000006563686f85522e00e4f7db2b398622130001341c931aad8f1fb6f37d010000000004595a",
  lz4: "04224d186440a71c000080800263706f7369780a73797374656d0a58040000006563686f85522e00000000b258d12b",
} as const;

it("is of what is inside a packed file: a pickle that runs code", async () => {
  for (const bytes of [await gzip(PAYLOAD), await packed(PAYLOAD, "deflate"), hex(BY_PROGRAM.zstd)]) {
    const result = await audit(bytes, "model.pkl.gz");
    expect(result.verdict).toBe("dangerous");
    expect(result.globals).toMatchObject([{ module: "posix", name: "system" }]);
    expect(rulesOf(result)).toContain("packed-content");
  }
});

it("is of what is inside a packed file: harmless ones", async () => {
  for (const [bytes, name] of [
    [torchZip(HARMLESS), "model.pt"],
    [safetensors(), "model.safetensors"],
    [tar("inner/model.pt", torchZip(HARMLESS)), "model.tar"],
  ] as const) {
    const result = await audit(await gzip(bytes), `${name}.gz`);
    expect(result, name).toMatchObject({ verdict: "clean" });
    expect(result.globals.every(({ places }) => places.every((place) => place.startsWith(`${name}.gz/${name}`)))).toBe(true);
  }
});

it.each(["bzip2", "xz", "lz4"] as const)("is inconclusive for what %s has packed, and names it", async (program) => {
  const result = await audit(hex(BY_PROGRAM[program]), "model.bin");
  expect([result.verdict, rulesOf(result)]).toEqual(["inconclusive", ["nested-container"]]);
  expect(result.reason).toContain(`packed by ${program}`);
});

it("follows packed members of archives, and packed content in packed content", async () => {
  const twice = await gzip(await packed(PAYLOAD, "deflate"));
  for (const bytes of [
    torchZip(HARMLESS, { name: "archive/extra", data: twice }),
    tar("x.gz", twice),
    await gzip(zip([{ name: "a", data: twice }])),
  ]) {
    const result = await audit(bytes);
    expect(result.verdict).toBe("dangerous");
  }
  const unknown = await audit(torchZip(HARMLESS, { name: "archive/extra", data: await gzip(ascii("\x01\x02\x03\x04\x05")) }));
  expect([unknown.verdict, rulesOf(unknown)[0]]).toEqual(["inconclusive", "unknown-format"]);
});

it("goes by the name that gzip wrote down", async () => {
  const result = await audit(await named(PAYLOAD, "weights.safetensors"), "model.gz");
  expect(rulesOf(result)).toContain("wrong-suffix");
  expect(result.findings.some(({ at }) => at?.startsWith("model.gz/weights.safetensors"))).toBe(true);
});

it("audits what comes out of a file that is cut off or damaged, and never calls it clean", async () => {
  const long = concat(
    PAYLOAD,
    Uint8Array.from({ length: 50_000 }, (_, index) => (index * 7919) % 251),
  );
  const whole = await gzip(long);
  const cut = await audit(whole.subarray(0, Math.floor(whole.length / 2)), "model.pkl.gz");
  expect(cut.verdict).toBe("dangerous");
  expect(rulesOf(cut)).toContain("packed-unreadable");
  const harmless = await gzip(torchZip(HARMLESS));
  for (let at = 10; at < harmless.length; at += 5) {
    const damaged = harmless.slice();
    damaged[at] = 255 - (damaged[at] ?? 0);
    expect((await audit(damaged, "model.gz")).verdict, `byte ${at}`).not.toBe("clean");
    expect((await audit(harmless.subarray(0, at), "model.gz")).verdict, `cut at ${at}`).not.toBe("clean");
  }
});

it("is bounded by limits: a bomb is inconclusive, whether it is one, many or in itself", async () => {
  const zeros = await gzip(new Uint8Array(40_000_000));
  const options = { limits: withLimits({ inflatedBytes: 20_000_000 }) };
  const one = await audit(zeros, "bomb.gz", options);
  expect([one.verdict, rulesOf(one)]).toEqual(["inconclusive", expect.arrayContaining(["limit-reached"])]);
  const ratio = await audit(zeros, "bomb.gz", { limits: withLimits({ inflateRatio: 100 }) });
  expect([ratio.verdict, rulesOf(ratio)]).toEqual(["inconclusive", expect.arrayContaining(["limit-reached"])]);
  const many = torchZip(HARMLESS, ...Array.from({ length: 30 }, (_, index) => ({ name: `archive/${index}`, data: zeros })));
  const started = performance.now();
  const all = await audit(many, "bombs.pt", options);
  expect(all.verdict).toBe("inconclusive");
  expect(performance.now() - started).toBeLessThan(20_000);
  let nested: Uint8Array = PAYLOAD;
  for (let depth = 0; depth < 12; depth++) nested = await gzip(nested);
  const deep = await audit(nested, "deep.gz");
  expect([deep.verdict, rulesOf(deep)]).toEqual(["inconclusive", ["limit-reached", "packed-content"]]);
});

it("takes no text for packed, and nothing else that begins like zlib", async () => {
  expect((await audit(ascii("x^2 + y^2 = 1\n"), "formula.txt")).verdict).toBe("clean");
  const result = await audit(ascii("\x78\x9cabcdefgh"), "data.bin");
  expect([result.verdict, rulesOf(result)]).toEqual(["inconclusive", ["unknown-format"]]);
});
