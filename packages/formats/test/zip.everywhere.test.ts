import { DEFAULT_LIMITS, withLimits } from "@ckptkit/core";
import { codeOf, expectSameBytes, patternBytes } from "@ckptkit/testkit";
import { crc32 } from "@ckptkit/wasm/js";
import { describe, expect, it } from "vitest";
import { openZip } from "../src/zip/archive.js";
import { concat, fields, sparseSource, text } from "./sparse-source.js";
import { type ArchiveOptions, buildZip, bytesOf, changed, deflate, type Member } from "./zip-builder.js";
import { codeOfZip, contents, one, two } from "./zip-contents.js";

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
