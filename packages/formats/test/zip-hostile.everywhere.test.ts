import { memorySource, withLimits } from "@ckptkit/core";
import { codeOf } from "@ckptkit/testkit";
import { describe, expect, it } from "vitest";
import { CRC_RULE } from "../src/index.js";
import { openZip } from "../src/zip/archive.js";
import { concat, fields, text } from "./sparse-source.js";
import { type ArchiveOptions, buildZip, bytesOf, changed, type Member } from "./zip-builder.js";
import { codeOfZip, contents, one, two } from "./zip-contents.js";

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
