import { type ByteSource, DEFAULT_LIMITS, memorySource, withLimits } from "@ckptkit/core";
import { codeOf, expectSameBytes, patternBytes } from "@ckptkit/testkit";
import { crc32 } from "@ckptkit/wasm/js";
import { describe, expect, it } from "vitest";
import { CRC_RULE } from "../src/index.js";
import { openZip } from "../src/zip/archive.js";
import { concat, fields, sparseSource, text } from "./sparse-source.js";
import { type ArchiveOptions, buildZip, bytesOf, changed, deflate, type Member } from "./zip-builder.js";

const one: Member = { name: "a/one", data: text("first member") };
const two: Member = { name: "a/two", data: patternBytes(3000) };

/** Reads all members of an archive. */
async function contents(source: ByteSource): Promise<{ members: Record<string, Uint8Array>; rules: string[] }> {
  const archive = await openZip(source, withLimits());
  const findings = [...archive.findings];
  const entries = [...archive.entries.values()];
  const bytes = await archive.readAll(entries, findings);
  const members = Object.fromEntries(entries.map(({ name }, index) => [name, bytes[index] ?? new Uint8Array(0)]));
  for (const entry of entries) expectSameBytes(await bytesOf(archive.source(entry)), members[entry.name] ?? new Uint8Array(0));
  return { members, rules: findings.map(({ rule }) => rule) };
}

const codeOfZip = (members: readonly Member[], options?: ArchiveOptions): Promise<string> => codeOf(contents(buildZip(members, options)));

describe("archives that are well-formed", () => {
  const forms: readonly (readonly [string, Partial<Member>, ArchiveOptions])[] = [
    ["sizes in the local header", {}, {}],
    ["a descriptor of 12 bytes", { descriptor: "12" }, {}],
    ["a descriptor of 16 bytes", { descriptor: "16" }, {}],
    ["a descriptor of 20 bytes", { descriptor: "20" }, {}],
    ["a descriptor of 24 bytes", { descriptor: "24" }, {}],
    ["padding up to an alignment", { padding: 4000 }, {}],
    ["no zip64 end record", {}, { zip64: "none" }],
    ["a comment", {}, { comment: text("made by hand") }],
    ["the longest comment", {}, { comment: new Uint8Array(0xffff).fill(0x20) }],
    ["a comment that speaks of end records", {}, { comment: concat(fields([4, 0x06054b50]), new Uint8Array(30)) }],
  ];
  it.each(forms)("are read with %s", async (_, member, options) => {
    const { members, rules } = await contents(
      buildZip(
        [
          { ...one, ...member },
          { ...two, ...member },
        ],
        options,
      ),
    );
    expect(members).toEqual({ "a/one": one.data, "a/two": two.data });
    expect(rules).toEqual([]);
  });

  const ZIP64 = ["size", "compressed", "offset"] as const;
  const combinations = Array.from({ length: 8 }, (_, bits) => ZIP64.filter((_field, index) => Math.floor(bits / 2 ** index) % 2 === 1));
  it.each(combinations.map((zip64) => [zip64.join(" and ") || "nothing", zip64] as const))(
    "are read with a zip64 field for %s",
    async (_, zip64) => {
      const { members } = await contents(
        buildZip([
          { ...one, zip64 },
          { ...two, zip64, descriptor: "24" },
        ]),
      );
      expect(members).toEqual({ "a/one": one.data, "a/two": two.data });
    },
  );

  it("are read with DEFLATE members, in order and out of it", async () => {
    const plain = concat(patternBytes(100_000), new Uint8Array(300_000), patternBytes(50_000, 2));
    const data = await deflate(plain);
    const member: Member = { name: "a/deflated", method: 8, data, inflatedBytes: plain.length, crc: crc32(plain) };
    const source = buildZip([member, one]);
    expectSameBytes((await contents(source)).members["a/deflated"], plain);
    const archive = await openZip(source, withLimits());
    const entry = archive.entries.get("a/deflated");
    const inflated = entry && archive.source(entry);
    for (const [start, end] of [
      [10, 20],
      [99_990, 100_010],
      [399_999, 450_000],
      [0, 5],
      [100, 400_100],
      [449_999, 450_000],
      [7, 7],
    ] as const) {
      expectSameBytes(await inflated?.read(start, end), plain.subarray(start, end));
    }
    const together = await Promise.all([0, 300_000, 1000].map((start) => inflated?.read(start, start + 100)));
    expect(together).toEqual([0, 300_000, 1000].map((start) => plain.slice(start, start + 100)));
  });

  it("are read with names in other alphabets, and with names that are not UTF-8", async () => {
    const names = ["größe/重み", "\ufeffmark/x", "emoji/🧠"];
    const { members } = await contents(buildZip(names.map((name) => ({ name, data: text(name) }))));
    expect(Object.keys(members)).toEqual(names);
    const latin = await changed(buildZip([{ name: "a/x??y", data: text("!") }]), (bytes) => {
      for (let at = 0; at < bytes.length; at++) if (bytes[at] === 0x3f) bytes[at] = 0xe4;
      return bytes;
    });
    expect(Object.keys((await contents(latin)).members)).toEqual(["a/xääy"]);
  });

  it("are read when they hold 65,535 members and more, and none", async () => {
    for (const count of [0, 65_535, 65_536]) {
      const many = Array.from({ length: count }, (_, index) => ({ name: `a/${index}` }));
      const archive = await openZip(buildZip(many, { zip64: count > 65_535 ? "always" : "none" }), withLimits());
      expect(archive.entries.size).toBe(count);
    }
  });

  it("are read beyond 4 GiB, in a few reads of what is there", async () => {
    const huge: Member = { name: "a/huge", size: 5 * 2 ** 30, data: patternBytes(100), crc: 1, descriptor: "24", padding: 10 };
    const source = buildZip([one, huge, { ...two, descriptor: "24" }]);
    const archive = await openZip(source, withLimits());
    const entry = archive.entries.get("a/huge");
    const member = entry && archive.source(entry);
    expect(member?.size).toBe(5 * 2 ** 30);
    expect(await member?.read(0, 100)).toEqual(patternBytes(100));
    expect(await member?.read(5 * 2 ** 30 - 3, 5 * 2 ** 30)).toEqual(new Uint8Array(3));
    const last = archive.entries.get("a/two");
    expect(last && (await bytesOf(archive.source(last)))).toEqual(two.data);
  });
});

describe("archives that contradict themselves are refused", () => {
  it.each<readonly [string, readonly Member[], ArchiveOptions]>([
    ["two members of one name", [one, { ...two, name: "a/one" }], {}],
    ["a directory that counts too many entries", [one, two], { end: { entries: 3 }, end64: { entries: 3 } }],
    ["a directory that counts too few entries", [one, two], { end: { entries: 1 }, end64: { entries: 1 } }],
    ["a count of entries that no directory could hold", [one], { end64: { entries: 2 ** 40 }, end: { entries: 0xffff } }],
    ["end records that count entries differently", [one, two], { end64: { entries: 1 } }],
    ["end records that place the directory differently", [one, two], { end64: { start: 3 } }],
    ["end records that measure the directory differently", [one, two], { end64: { bytes: 46 } }],
    ["an end record that counts twice, differently", [one, two], { zip64: "none", end: { onDisk: 1 } }],
    ["a zip64 end record that counts twice, differently", [one, two], { end64: { onDisk: 1 } }],
    ["a locator that points elsewhere", [one, two], { end64: { position: 10 } }],
    ["a locator that points beyond the file", [one, two], { end64: { position: 2 ** 50 } }],
    ["a zip64 end record of the wrong length", [one, two], { end64: { recordBytes: 45 } }],
    ["a zip64 end record that is missing", [one, two], { zip64: "none", end: { start: 0xffffffff } }],
    ["bytes between directory and end record", [one, two], { beforeEnd: new Uint8Array(7) }],
    ["a directory that is placed too early", [one, two], { zip64: "none", end: { start: 1 } }],
    ["members that overlap", [one, { ...two, central: { offset: 10 } }], {}],
    ["two entries for one place", [one, { ...two, central: { offset: 0 } }], {}],
    ["a member that reaches into the directory", [one, { ...two, central: { size: 4000, compressed: 4000 } }], {}],
    ["a member beyond the end", [one, { ...two, central: { offset: 10_000 } }], {}],
    ["a member at an absurd place", [one, { ...two, central: { offset: 2 ** 60 } }], {}],
    ["a member of an absurd size", [one, { ...two, central: { size: 2 ** 60, compressed: 2 ** 60 } }], {}],
    ["a stored member of two sizes", [{ ...one, central: { size: 5 } }, two], {}],
    ["a zip64 field that is missing", [{ ...one, zip64: ["size"], extra: new Uint8Array(0) }], {}],
    ["a zip64 field that is too short", [{ ...one, zip64: ["size", "offset"], extra: fields([2, 1], [2, 8], [8, 12]) }], {}],
    ["a zip64 field that says more than is asked", [{ ...one, extra: fields([2, 1], [2, 8], [8, 99]) }], {}],
    [
      "two zip64 fields",
      [{ ...one, zip64: ["size"], extra: concat(fields([2, 1], [2, 8], [8, 12]), fields([2, 1], [2, 8], [8, 13])) }],
      {},
    ],
    ["an extra field that is cut off", [{ ...one, extra: fields([2, 7], [2, 100]) }], {}],
    ["another name in the local header", [{ ...one, local: { name: "a/eno" } }], {}],
    ["a longer name in the local header", [{ ...one, local: { name: "a/one!" } }], {}],
    ["another method in the local header", [{ ...one, local: { method: 8 } }], {}],
    ["another CRC-32 in the local header", [{ ...one, local: { crc: 12345 } }], {}],
    ["another size in the local header", [{ ...one, local: { size: 5 } }], {}],
    ["another compressed size in the local header", [{ ...one, local: { compressed: 5 } }], {}],
    ["padding that pushes the data into the next member", [{ ...one, central: { size: 40, compressed: 40 }, padding: 26 }, two], {}],
    ["an entry on another disk", [{ ...one, central: { disk: 3 } }], {}],
  ])("%s", async (_, members, options) => {
    expect(await codeOfZip(members, options)).toBe("ZIP_CORRUPT");
  });

  it("a second end record at the end of the comment", async () => {
    const plain = buildZip([two], { zip64: "none" });
    const other = (await bytesOf(plain)).slice(-22);
    expect(await codeOfZip([one], { comment: other })).toBe("ZIP_CORRUPT");
  });

  it("two archives one after the other", async () => {
    const joined = concat(await bytesOf(buildZip([one])), await bytesOf(buildZip([two])));
    expect(await codeOf(openZip(memorySource(joined), withLimits()))).toBe("ZIP_CORRUPT");
  });

  it("no header where the directory places the member", async () => {
    const source = await changed(buildZip([one]), (bytes) => {
      bytes[0] = 0;
      return bytes;
    });
    expect(await codeOf(contents(source))).toBe("ZIP_CORRUPT");
  });

  it("bytes after the end record, or an end record that is missing", async () => {
    const bytes = await bytesOf(buildZip([one, two]));
    expect(await codeOf(openZip(memorySource(concat(bytes, text("tail"))), withLimits()))).toBe("ZIP_NO_END_RECORD");
    expect(await codeOf(openZip(memorySource(bytes.slice(0, -30)), withLimits()))).toBe("ZIP_NO_END_RECORD");
    expect(await codeOf(openZip(memorySource(text("PK")), withLimits()))).toBe("ZIP_NO_END_RECORD");
  });
});

describe("archives that use what checkpoints do not use are refused", () => {
  it.each<readonly [string, readonly Member[], ArchiveOptions]>([
    ["encryption", [{ ...one, flags: 0x0801 }], {}],
    ["strong encryption", [{ ...one, flags: 0x0841 }], {}],
    ["a masked directory", [{ ...one, flags: 0x2800 }], {}],
    ["encryption in the directory only", [{ ...one, flags: 0x0801, local: { flags: 0x0800 } }], {}],
    ["encryption in the local header only", [{ ...one, local: { flags: 0x0801 } }], {}],
    ["another method", [{ ...one, method: 12 }], {}],
    ["several disks", [one], { end: { disk: 1 } }],
  ])("%s", async (_, members, options) => {
    expect(await codeOfZip(members, options)).toBe("ZIP_UNSUPPORTED");
  });
});

describe("what nobody accounts for is told", () => {
  it("bytes before the first member", async () => {
    expect((await contents(buildZip([one, two], { junk: 5 }))).rules).toEqual(["zip-hidden-bytes"]);
  });

  it("bytes between members that are more than a header can explain", async () => {
    expect((await contents(buildZip([{ ...one, gap: 70_000 }, two]))).rules).toEqual(["zip-hidden-bytes"]);
  });

  it("a member that the directory does not list", async () => {
    const hidden = await bytesOf(buildZip([{ name: "a/hidden", data: new Uint8Array(100_000) }]));
    const source = await changed(buildZip([{ ...one, gap: hidden.length }, two]), (bytes) => {
      bytes.set(hidden, 30 + one.name.length + (one.data?.length ?? 0));
      return bytes;
    });
    expect((await contents(source)).rules).toEqual(["zip-hidden-bytes"]);
  });

  it("a CRC-32 that does not hold, where one was recorded", async () => {
    expect((await contents(buildZip([{ ...one, crc: 1 }, two]))).rules).toEqual([CRC_RULE]);
    expect((await contents(buildZip([{ ...one, crc: 0 }, two]))).rules).toEqual([]);
  });
});

describe("DEFLATE members that lie", () => {
  const zeros = new Uint8Array(1_000_000);

  it("about more bytes than DEFLATE can make are refused before anything is inflated", async () => {
    const data = await deflate(zeros);
    expect(await codeOfZip([{ name: "a/bomb", method: 8, data, inflatedBytes: data.length * 2000 }])).toBe("LIMIT_EXCEEDED");
  });

  it.each([
    ["more", 999_999],
    ["fewer", 1_000_001],
    ["far more", 10],
  ])("by inflating to %s bytes than they declare are refused", async (_, inflatedBytes) => {
    const data = await deflate(zeros);
    expect(await codeOfZip([{ name: "a/liar", method: 8, data, inflatedBytes }])).toBe("ZIP_CORRUPT");
  });

  it("by a stream that is cut off, empty or none are refused", async () => {
    const data = await deflate(patternBytes(100_000));
    for (const wrong of [data.slice(0, -10), data.slice(0, 1000), new Uint8Array(0), patternBytes(5000)]) {
      expect(
        await codeOfZip([{ name: "a/cut", method: 8, data: wrong, inflatedBytes: Math.min(100_000, wrong.length * 100 + 100) }]),
      ).toMatch(/^(ZIP_CORRUPT|LIMIT_EXCEEDED)$/);
    }
  });

  it("are refused out of order when they would take more memory than is allowed", async () => {
    const data = await deflate(zeros);
    const limits = withLimits({ inflatedBytes: 100_000 });
    const archive = await openZip(buildZip([{ name: "a/large", method: 8, data, inflatedBytes: zeros.length }]), limits);
    const entry = archive.entries.get("a/large");
    const source = entry && archive.source(entry);
    expect((await source?.read(0, 10))?.length).toBe(10);
    expect((await source?.read(500_000, 500_010))?.length).toBe(10); // in order: streams
    expect(await codeOf(source?.read(0, 10) ?? Promise.resolve())).toBe("LIMIT_EXCEEDED");
  });

  it("can be given up: an abort ends the read, and the next one begins anew", async () => {
    const data = await deflate(zeros);
    const archive = await openZip(buildZip([{ name: "a/large", method: 8, data, inflatedBytes: zeros.length }]), withLimits());
    const entry = archive.entries.get("a/large");
    const source = entry && archive.source(entry);
    const controller = new AbortController();
    const reading = source?.read(900_000, 900_010, { signal: controller.signal });
    controller.abort(new Error("no longer wanted"));
    await expect(reading).rejects.toThrow("no longer wanted");
    expect(await source?.read(900_000, 900_010)).toEqual(new Uint8Array(10));
  });
});

describe("limits", () => {
  it("bound the number of members and the size of the directory", async () => {
    const source = buildZip([one, two]);
    expect(await codeOf(openZip(source, withLimits({ zipEntries: 1 })))).toBe("LIMIT_EXCEEDED");
    expect(await codeOf(openZip(source, withLimits({ zipDirectoryBytes: 50 })))).toBe("LIMIT_EXCEEDED");
  });

  it("keep a directory of gigabytes from being read", async () => {
    const bytes = 2 * DEFAULT_LIMITS.zipDirectoryBytes;
    const end = await bytesOf(buildZip([], { end64: { start: 0, bytes, entries: 10 }, end: { bytes: 0xffffffff, start: 0, entries: 10 } }));
    expect(await codeOf(openZip(sparseSource(bytes + end.length, [{ at: bytes, bytes: end }]), withLimits()))).toMatch(
      /LIMIT_EXCEEDED|ZIP_CORRUPT/,
    );
  });
});
