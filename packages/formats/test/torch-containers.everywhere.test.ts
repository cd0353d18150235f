import { memorySource } from "@ckptkit/core";
import { type PickleValue, writePickle } from "@ckptkit/pickle";
import { codeOf } from "@ckptkit/testkit";
import { describe, expect, it } from "vitest";
import { CRC_RULE, openCheckpoint, openTorchLegacy, openTorchZip } from "../src/index.js";
import { openTorchScript } from "../src/torchscript/index.js";
import { concat, fields, text } from "./sparse-source.js";
import { dict, global, legacyFile, legacyStack, list, SIX, tensor, torchMembers, torchZip, tuple } from "./torch-file.js";
import { rulesOf } from "./torch-outcomes.js";
import { buildZip } from "./zip-builder.js";

describe("what a torch archive holds besides", () => {
  const value = dict({ w: tensor() });

  it("two checkpoints are refused, other folders and files are told", async () => {
    const members = torchMembers(value);
    const other = members.map((member) => ({ ...member, name: member.name.replace("archive", "other") }));
    expect(await codeOf(openTorchZip(buildZip([...members, ...other])))).toBe("ZIP_CORRUPT");
    const stray = await openTorchZip(buildZip([...members, { name: "__MACOSX/x" }]));
    expect(rulesOf(stray)).toEqual(["torch-second-root"]);
    expect(rulesOf(await openTorchZip(buildZip([...members, { name: "readme.txt" }])))).toEqual(["torch-second-root"]);
    expect(rulesOf(await openTorchZip(buildZip([{ name: "archive/" }, ...members])))).toEqual([]);
  });

  it("no checkpoint at all is said to be none", async () => {
    expect(await codeOf(openCheckpoint(buildZip([{ name: "word/document.xml" }])))).toBe("UNSUPPORTED_FORMAT");
    expect(await codeOf(openCheckpoint(buildZip([{ name: "data.pkl", data: writePickle(value) }])))).toBe("UNSUPPORTED_FORMAT");
  });

  it("a program of TorchScript is told", async () => {
    const members = [...torchMembers(value), { name: "archive/constants.pkl", data: writePickle(tuple()) }];
    const program = await openCheckpoint(buildZip(members));
    expect([program.format, rulesOf(program)]).toEqual(["torchscript", ["torchscript"]]);
    expect(await codeOf(openTorchZip(buildZip(members)))).toBe("UNSUPPORTED_FORMAT");
    expect(await codeOf(openTorchScript(torchZip(value)))).toBe("UNSUPPORTED_FORMAT");
  });

  it("an archive of TorchServe is opened by the file that its manifest names", async () => {
    const model = torchZip(value);
    const manifest = (name?: string) => ({
      name: "MAR-INF/MANIFEST.json",
      data: text(JSON.stringify({ model: { serializedFile: name } })),
    });
    const members = [
      { name: "model.pt", data: await model.read(0, model.size) },
      { name: "empty.pt", data: new Uint8Array(0) },
    ];
    const opened = await openCheckpoint(buildZip([...members, manifest("model.pt")]));
    expect([opened.format, opened.tensors.map(({ path }) => path), opened.metadata]).toMatchObject([
      "mar",
      ["w"],
      { manifest: { model: { serializedFile: "model.pt" } } },
    ]);
    expect(await opened.tensors[0]?.read()).toEqual(SIX);
    for (const name of ["empty.pt", "missing.pt", undefined]) {
      expect(rulesOf(await openCheckpoint(buildZip([...members, manifest(name)])))).toEqual(["mar-no-weights"]);
    }
    expect(await codeOf(openCheckpoint(buildZip([{ name: "MAR-INF/MANIFEST.json", data: text("{") }])))).toBe("TORCH_CORRUPT");
  });

  it("a byte order that is neither is refused, and none means little", async () => {
    const withOrder = (word: Uint8Array | undefined) =>
      buildZip(
        torchMembers(value).flatMap((member) => (member.name.endsWith("byteorder") ? (word ? [{ ...member, data: word }] : []) : [member])),
      );
    expect(await codeOf(openTorchZip(withOrder(text("middle"))))).toBe("TORCH_CORRUPT");
    expect(await codeOf(openTorchZip(withOrder(new Uint8Array(100_000))))).toBe("TORCH_CORRUPT");
    expect(await (await openTorchZip(withOrder(undefined))).tensors[0]?.read()).toEqual(SIX);
    const big = await openTorchZip(withOrder(text("big")));
    const swapped = new DataView(SIX.buffer);
    expect(await big.tensors[0]?.read()).toEqual(
      new Uint8Array(new Float32Array(6).map((_, index) => swapped.getFloat32(4 * index)).buffer),
    );
  });

  it("bytes after the pickle are told, and a CRC-32 of the pickle that does not hold", async () => {
    expect(rulesOf(await openTorchZip(torchZip(concat(writePickle(value), text("more")))))).toEqual(["pickle-trailing-data"]);
    const members = torchMembers(value).map((member) => (member.name.endsWith("pkl") ? { ...member, crc: 1 } : member));
    expect(rulesOf(await openTorchZip(buildZip(members)))).toEqual([CRC_RULE]);
  });

  it("storages without a CRC-32 are told, as never checked or as never written", async () => {
    const without = (...names: string[]) =>
      openTorchZip(
        buildZip(torchMembers(value).map((member) => (names.some((name) => member.name.endsWith(name)) ? { ...member, crc: 0 } : member))),
      );
    expect(rulesOf(await without("data.pkl", "data/0"))).toEqual(["no-crc"]);
    expect(rulesOf(await without("data/0"))).toEqual(["weights-not-written"]);
  });

  it("a pickle of gigabytes is refused before it is read", async () => {
    const members = torchMembers(value).map((member) => (member.name.endsWith("pkl") ? { ...member, size: 2 ** 31 } : member));
    expect(await codeOf(openTorchZip(buildZip(members)))).toBe("LIMIT_EXCEEDED");
  });
});

describe("a legacy file", () => {
  const value = dict({ w: tensor() });

  it("that is cut off is refused, wherever", async () => {
    const file = legacyFile(value);
    for (let length = 1; length < file.length; length++) {
      const code = await codeOf(openTorchLegacy(memorySource(file.subarray(0, length))));
      expect(code, `${length} of ${file.length} bytes`).toMatch(/^(PICKLE_TRUNCATED|TORCH_CORRUPT)$/);
    }
  });

  it("with more behind its last storage says so", async () => {
    const checkpoint = await openTorchLegacy(memorySource(concat(legacyFile(value), text("more"))));
    expect(rulesOf(checkpoint)).toEqual(["trailing-data"]);
  });

  it("with a storage that no tensor names says so, and does not read what it cannot place", async () => {
    const file = concat(legacyStack(value, ["unknown", "0"]), fields([8, 2]), new Uint8Array(8), fields([8, 6]), SIX);
    const checkpoint = await openTorchLegacy(memorySource(file));
    expect(rulesOf(checkpoint)).toEqual(["torch-unreferenced-storage"]);
    expect(await codeOf(checkpoint.tensors[0]?.read() ?? Promise.resolve())).toBe("TORCH_STORAGE_MISSING");
  });

  it("places a storage that is saved by itself, without a tensor", async () => {
    const alone: PickleValue = { kind: "persistent", id: tuple("storage", global("torch.ByteStorage"), "raw", "cpu", 3) };
    const file = concat(legacyStack(dict({ alone, w: tensor() }), ["raw", "0"]), fields([8, 3]), new Uint8Array(3), fields([8, 6]), SIX);
    const checkpoint = await openTorchLegacy(memorySource(file));
    expect(rulesOf(checkpoint)).toEqual([]);
    expect(await checkpoint.tensors[0]?.read()).toEqual(SIX);
  });

  it("is little-endian whatever wrote it: torch converts as it writes", async () => {
    const stack = legacyStack(value);
    // NEWTRUE after "little_endian" becomes NEWFALSE.
    const at = new TextDecoder("latin1").decode(stack).indexOf("little_endian") + "little_endian".length;
    const place = stack.indexOf(0x88, at);
    stack[place] = 0x89;
    const { tensors } = await openTorchLegacy(memorySource(concat(stack, fields([8, 6]), SIX)));
    expect(await tensors[0]?.read()).toEqual(SIX);
  });

  it("with a wrong magic number, protocol or list of keys is refused", async () => {
    const main = writePickle(value);
    const system = writePickle(dict({}));
    const magic = writePickle(0x1950a86a20f9469cfc6cn);
    const stacks = [
      concat(magic, writePickle(1002), system, main, writePickle(list("0"))),
      concat(magic, writePickle(1001), system, main, writePickle(dict({}))),
      concat(magic, writePickle(1001), system, main, writePickle(list(null))),
      concat(magic, writePickle(1001), system, main, writePickle(list("0", "0"))),
      concat(writePickle(42), writePickle(1001), system, main, writePickle(list("0"))),
    ];
    for (const stack of stacks) {
      expect(await codeOf(openTorchLegacy(memorySource(concat(stack, fields([8, 6]), SIX))))).toBe("TORCH_CORRUPT");
    }
  });
});
