import { describe, expect, it } from "vitest";
import { ascii, audit, concat, HARMLESS, little, type Member, PAYLOAD, rulesOf, safetensors, tar, torchZip, zip } from "./hostile.js";

const HARMLESS_ZIP = torchZip(HARMLESS);
const PAYLOAD_ZIP = torchZip(PAYLOAD);
const pickle = (data: Uint8Array, more: Partial<Member> = {}): Member => ({ name: "archive/data.pkl", data, ...more });
const npy = (descr: string, data: Uint8Array): Uint8Array => {
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (1,), }\n`;
  return concat("\x93NUMPY\x01\x00", little(header.length, 2), header, data);
};

describe("archives that are seen differently by different readers", () => {
  it.each<readonly [string, Uint8Array, string]>([
    ["a wrong CRC-32", zip([pickle(PAYLOAD, { crc: 1 })]), "crc-mismatch"],
    ["an encryption flag in the directory only", zip([pickle(PAYLOAD, { flags: 1, local: { flags: 0 } })]), "zip-encrypted"],
    ["an encryption flag in the local header only", zip([pickle(PAYLOAD, { local: { flags: 1 } })]), "zip-encrypted"],
    ["an encryption flag in both", zip([pickle(PAYLOAD, { flags: 1 })]), "zip-encrypted"],
    ["a name that differs in the local header", zip([pickle(PAYLOAD, { local: { name: "archive/readme.x" } })]), "zip-header-mismatch"],
    ["a size that differs in the local header", zip([pickle(PAYLOAD, { local: { size: 3 } })]), "zip-header-mismatch"],
    ["two data.pkl, the harmless one first", zip([pickle(HARMLESS), pickle(PAYLOAD)]), "zip-duplicate-name"],
    ["two data.pkl, the harmless one last", zip([pickle(PAYLOAD), pickle(HARMLESS)]), "zip-duplicate-name"],
    ["two folders with a data.pkl", zip([pickle(HARMLESS), { name: "other/data.pkl", data: PAYLOAD }]), "zip-two-roots"],
    ["a second end record in the comment", zip([pickle(PAYLOAD)], { comment: zip([]) }), "zip-two-ends"],
    ["bytes behind the end record", concat(PAYLOAD_ZIP, "tail"), "zip-trailing-data"],
    [
      "junk in front of the archive",
      concat("PK\x03\x04 junk, and more of it, in the place of a header", PAYLOAD_ZIP),
      "zip-prepended-data",
    ],
    ["two archives, the harmless one first", concat(HARMLESS_ZIP, PAYLOAD_ZIP), "zip-hidden-member"],
    [
      "a member that the directory does not list",
      zip([pickle(HARMLESS), { name: "archive/x", data: PAYLOAD, isHidden: true }]),
      "zip-hidden-member",
    ],
    ["a pickle under another name", torchZip(HARMLESS, { name: "archive/notes.txt", data: PAYLOAD }), "hidden-pickle"],
    [
      "a pickle among the storages that no tensor refers to",
      torchZip(HARMLESS, { name: "archive/data/0", data: PAYLOAD }),
      "hidden-pickle",
    ],
    [
      "a text pickle under another name",
      torchZip(HARMLESS, { name: "archive/notes", data: ascii("cposix\nsystem\n(S'x'\ntR.") }),
      "hidden-pickle",
    ],
    ["a pickle under the name of a folder", zip([{ name: "archive/data.pkl/", data: PAYLOAD }]), "zip-odd-name"],
    ["a directory that is lost", PAYLOAD_ZIP.slice(0, 100), "zip-no-directory"],
  ])("%s", async (_, bytes, rule) => {
    const result = await audit(bytes);
    expect(rulesOf(result)).toContain(rule);
    expect(result.verdict).toBe("dangerous");
    expect(result.globals[0]).toMatchObject({ module: "posix", name: "system" });
  });

  it.each<readonly [string, Uint8Array, string]>([
    ["a contradiction between end record and directory", zip([pickle(HARMLESS)], { directoryStart: 1 }), "zip-prepended-data"],
    ["names that lead out of the folder", torchZip(HARMLESS, { name: "../../etc/x", data: ascii("text") }), "zip-odd-name"],
    ["names with backslashes", torchZip(HARMLESS, { name: "archive\\x", data: ascii("text") }), "zip-odd-name"],
    ["absolute names", torchZip(HARMLESS, { name: "/x", data: ascii("text") }), "zip-odd-name"],
  ])("%s", async (_, bytes, rule) => {
    const result = await audit(bytes);
    expect([result.verdict, rulesOf(result)]).toEqual(["suspicious", expect.arrayContaining([rule])]);
  });

  it.each<readonly [string, Uint8Array, string]>([
    [
      "a member that no tensor refers to",
      torchZip(HARMLESS, { name: "archive/data/9", data: ascii("\x01\x02\x00\x03") }),
      "unreferenced-member",
    ],
    ["a way of compression that is not known", torchZip(HARMLESS, { name: "archive/x", data: ascii("??"), method: 99 }), "zip-method"],
    ["a packed member", torchZip(HARMLESS, { name: "archive/x.7z", data: ascii("7z\xbc\xaf\x27\x1c....") }), "nested-container"],
  ])("%s is inconclusive", async (_, bytes, rule) => {
    const result = await audit(bytes);
    expect([result.verdict, rulesOf(result)]).toEqual(["inconclusive", expect.arrayContaining([rule])]);
  });

  it("goes on behind a member that is corrupt", async () => {
    const broken = { name: "archive/a.pkl", data: ascii("\xff\xff") };
    const result = await audit(zip([broken, pickle(HARMLESS), { name: "archive/z.pkl", data: PAYLOAD }]));
    expect([result.verdict, rulesOf(result)]).toEqual(["dangerous", expect.arrayContaining(["dangerous-global", "pickle-broken"])]);
  });

  it("a comment alone has no consequence", async () => {
    const result = await audit(zip([pickle(HARMLESS)], { comment: ascii("made by hand") }));
    expect([result.verdict, rulesOf(result)]).toEqual(["clean", ["zip-comment"]]);
  });
});

describe("content that is not what it seems", () => {
  it.each<readonly [string, Uint8Array, string]>([
    ["a pickle", PAYLOAD, "model.safetensors"],
    ["an archive", PAYLOAD_ZIP, "model.gguf"],
    ["a text pickle", ascii("cposix\nsystem\n(S'x'\ntR."), "config.json"],
  ])("%s under the name of a format without code", async (_, bytes, name) => {
    const result = await audit(bytes, name);
    expect([result.verdict, rulesOf(result)]).toEqual(["dangerous", expect.arrayContaining(["dangerous-global", "wrong-suffix"])]);
    expect(rulesOf(await audit(bytes, "model.bin"))).not.toContain("wrong-suffix");
  });

  it.each<readonly [string, Uint8Array]>([
    ["safetensors", safetensors()],
    ["GGUF", ascii("GGUF\x03\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")],
    ["a tar archive", tar("notes.txt", ascii("text"))],
    ["a pickle", HARMLESS],
  ])("%s with an archive at its end", async (_, head) => {
    const result = await audit(concat(head, PAYLOAD_ZIP));
    expect([result.verdict, rulesOf(result)]).toEqual(["dangerous", expect.arrayContaining(["dangerous-global", "polyglot"])]);
  });

  it("a safetensors header that is also a pickle", async () => {
    // The length's bytes are PROTO and BINFLOAT, whose number holds the header's first bytes.
    const length = 0x470280;
    const code = "cposix\nsystem\n.";
    const header = `{"a${code.replaceAll("\n", "\\n")}":`.padEnd(length);
    const bytes = concat(little(length, 8), header.replaceAll("\\n", "\n"), " ".repeat(10));
    const result = await audit(bytes, "model.safetensors");
    expect([result.verdict, rulesOf(result)]).toEqual(["dangerous", expect.arrayContaining(["dangerous-global", "polyglot"])]);
  });

  it("safetensors with an odd header", async () => {
    const twice = `{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"a":{"dtype":"I8","shape":[2],"data_offsets":[0,2]}}`;
    expect(await audit(safetensors(), "m.safetensors")).toMatchObject({ verdict: "clean", globals: [] });
    const result = await audit(safetensors(twice), "m.safetensors");
    expect([result.verdict, rulesOf(result)[0]]).toEqual(["suspicious", "safetensors-duplicate-key"]);
    expect((await audit(concat(safetensors(), "tail"), "m.safetensors")).verdict).toBe("inconclusive");
  });
});

describe("containers in containers", () => {
  it.each<readonly [string, Uint8Array]>([
    ["a pickle in a zip in a tar", tar("model.ckpt", PAYLOAD_ZIP)],
    ["a zip in a zip", zip([{ name: "model.pt", data: PAYLOAD_ZIP }])],
    ["a pickle in a tar in a zip", zip([{ name: "model.tar", data: tar("x", PAYLOAD) }])],
    ["an array of objects", npy("|O", PAYLOAD)],
    ["an array of objects in an .npz", zip([{ name: "a.npy", data: npy("|O", PAYLOAD) }])],
    ["an archive in a concatenation of archives", zip([{ name: "x.zip", data: concat(HARMLESS_ZIP, PAYLOAD_ZIP) }])],
  ])("%s is looked into", async (_, bytes) => {
    expect((await audit(bytes)).verdict).toBe("dangerous");
  });

  it("arrays of numbers are clean", async () => {
    expect((await audit(npy("<f4", ascii("\x80\x02\x03\x04")), "a.npy")).verdict).toBe("clean");
    expect((await audit(zip([{ name: "a.npy", data: npy("<f4", ascii("abcd")) }]), "a.npz")).verdict).toBe("clean");
  });

  it.each(["BZh91AY", "\xfd7zXZ\0\0", "\x04\x22\x4d\x18\0", "7z\xbc\xaf\x27\x1c\0", "Rar!\x1a\x07\x01\0"])(
    "packed content is named, and never clean",
    async (magic) => {
      const result = await audit(concat(magic, new Uint8Array(100)), "model.bin");
      expect([result.verdict, rulesOf(result)]).toEqual(["inconclusive", ["nested-container"]]);
    },
  );

  it("archives are followed no deeper than a limit", async () => {
    let bytes: Uint8Array = PAYLOAD_ZIP;
    for (let depth = 0; depth < 12; depth++) bytes = zip([{ name: "x.zip", data: bytes }]);
    expect(await audit(bytes)).toMatchObject({ verdict: "inconclusive", findings: [{ rule: "limit-reached" }] });
  });

  it("joblib's arrays that are described in no known way end what can be read", async () => {
    const wrapper = concat("\x80\x03cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}b", new Uint8Array(64));
    const result = await audit(wrapper, "model.joblib");
    expect([result.verdict, rulesOf(result)]).toEqual(["inconclusive", ["raw-array"]]);
  });

  it("programs that torch.export saved have weights that no pickle names", async () => {
    const bytes = zip([
      { name: "m/archive_format", data: ascii("pt2") },
      { name: "m/data/weights/weight_0", data: ascii("\x01\x02\x00\x03") },
    ]);
    expect((await audit(bytes, "m.zip")).verdict).toBe("clean");
  });

  it("programs and layers that hold code", async () => {
    const script = (code: string) => torchZip(HARMLESS, { name: "archive/code/__torch__.py", data: ascii(code) });
    expect(await audit(script("class Net(Module):\n  pass\n"))).toMatchObject({
      verdict: "unknown",
      findings: [{ rule: "torchscript-code" }],
    });
    expect((await audit(script("def f(x):\n  torch.save(x, '/tmp/x')\n"))).verdict).toBe("suspicious");
    const keras = zip([
      { name: "config.json", data: ascii(`{"layers":[{"class_name": "Lambda"}]}`) },
      { name: "model.weights.h5", data: ascii("\x89HDF\r\n\x1a\n") },
    ]);
    expect(rulesOf(await audit(keras, "m.keras"))[0]).toBe("keras-lambda");
    const loose = await audit(ascii(`{"class_name":"Sequential","config":{"layers":[{"class_name":"Lambda"}]}}`), "model.json");
    expect([loose.verdict, rulesOf(loose)[0]]).toEqual(["dangerous", "keras-lambda"]);
    const served = await audit(zip([{ name: "handler.py", data: ascii("class Handler: pass") }]), "m.mar");
    expect([served.verdict, rulesOf(served)]).toEqual(["unknown", expect.arrayContaining(["python-source"])]);
    const graph = await audit(concat("\x08\x01\x12\x20", "\x0a\x04node\x12\x09WriteFile"), "saved_model.pb");
    expect([graph.verdict, rulesOf(graph)[0]]).toEqual(["suspicious", "tf-graph-files"]);
  });
});

it("bytes of no known format, an empty file and a pointer are never clean", async () => {
  expect(rulesOf(await audit(ascii("\x01\x02\x00\x03what")))).toEqual(["unknown-format"]);
  expect(rulesOf(await audit(new Uint8Array(0)))).toEqual(["empty-file"]);
  expect(rulesOf(await audit(ascii("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n")))).toEqual(["lfs-pointer"]);
});
