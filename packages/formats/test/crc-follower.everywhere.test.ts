import { memorySource } from "@ckptkit/core";
import { codeOf, patternBytes } from "@ckptkit/testkit";
import { loadFixture } from "@ckptkit/testkit/vite";
import { crc32, jsKernels } from "@ckptkit/wasm/js";
import { describe, expect, it } from "vitest";
import { ZipCrcFollower } from "../src/index.js";
import { text } from "./sparse-source.js";
import { buildZip, bytesOf, deflate, type Member } from "./zip-builder.js";

/** Lets all bytes go by in pieces of some size. */
async function follow(bytes: Uint8Array, pieceBytes: number): Promise<string> {
  const follower = await ZipCrcFollower.follow(memorySource(bytes, "a.zip"), jsKernels());
  if (!follower) return "not followed";
  try {
    for (let at = 0; at < bytes.length; at += pieceBytes) follower.update(bytes.subarray(at, at + pieceBytes));
    await follower.finish();
    return "checked";
  } finally {
    follower.cancel();
  }
}

describe("the CRC-32s of an archive whose bytes go by", () => {
  const members: Member[] = [
    { name: "a/one", data: patternBytes(500), padding: 40, descriptor: "16" },
    { name: "a/empty" },
    { name: "a/unchecked", data: patternBytes(50, 2), crc: 0 },
    { name: "a/two", data: patternBytes(3000, 3), descriptor: "24" },
  ];

  it.each([1, 7, 29, 64, 1000, 1_000_000])("hold, in pieces of %i bytes", async (pieceBytes) => {
    expect(await follow(await bytesOf(buildZip(members)), pieceBytes)).toBe("checked");
  });

  it.each([1, 64, 1_000_000])("tell a byte that has changed, in pieces of %i bytes", async (pieceBytes) => {
    for (const index of [0, 3]) {
      const wrong = members.map((member, at) => (at === index ? { ...member, crc: 1 } : member));
      expect(await codeOf(follow(await bytesOf(buildZip(wrong)), pieceBytes))).toBe("CRC_MISMATCH");
    }
  });

  it("of deflated members are checked at the end", async () => {
    const plain = patternBytes(100_000);
    const member: Member = { name: "a/deflated", method: 8, data: await deflate(plain), inflatedBytes: plain.length, crc: crc32(plain) };
    expect(await follow(await bytesOf(buildZip([member, ...members])), 4096)).toBe("checked");
    expect(await codeOf(follow(await bytesOf(buildZip([{ ...member, crc: 1 }])), 4096))).toBe("CRC_MISMATCH");
  });

  it("are those of torch's own archives", async () => {
    for (const file of ["lstm.pt", "rezip-deflate-conv.pt", "no-crc.pt", "aligned-4096.pt"])
      expect(await follow(await loadFixture(file), 5000)).toBe("checked");
  });

  it("are left alone where the bytes are no archive, or none that can be read", async () => {
    expect(await follow(text("no archive at all, but long enough"), 10)).toBe("not followed");
    expect(await follow(text("PK"), 10)).toBe("not followed");
    expect(await follow((await bytesOf(buildZip(members))).slice(0, -10), 10)).toBe("not followed");
  });

  it("cannot be told where a local header contradicts the directory", async () => {
    const wrong = buildZip([{ ...(members[0] as Member), local: { name: "a/eno" } }]);
    expect(await codeOf(follow(await bytesOf(wrong), 100))).toBe("ZIP_CORRUPT");
  });

  it("are not said to hold when some bytes did not go by", async () => {
    const follower = await ZipCrcFollower.follow(buildZip(members), jsKernels());
    follower?.update(new Uint8Array(0));
    expect(await codeOf(follower?.finish() ?? Promise.resolve())).toBe("INTERNAL");
  });
});
