import { type Checkpoint, countSource, decodedTensor, memorySource } from "@ckptkit/core";
import { codeOf } from "@ckptkit/testkit";
import { describe, expect, it } from "vitest";
import { onnxReader, openCheckpoint, openCheckpointSync, openOnnx } from "../src/index.js";
import { bytesOf, exchangeFiles, field, openAmong, rulesOf, varint } from "./exchange.js";
import { sparseSource } from "./sparse-source.js";
import { sha256 } from "./truth.js";

const files = await exchangeFiles("onnx.json");

/** Fields of TensorProto. */
const tensor = (name: string, type: number, shape: readonly number[], ...fields: number[][]): number[] => [
  ...shape.flatMap((size) => field(1, size)),
  ...field(2, type),
  ...fields.flat(),
  ...field(8, name),
];
const FLOAT = 1;
const INT32 = 6;
const INT64 = 7;
const model = (...graph: number[][]): Uint8Array =>
  Uint8Array.from([...field(1, 10), ...field(7, graph.flat()), ...field(8, field(2, 21))]);
const initializer = (bytes: readonly number[]): number[] => field(5, bytes);
const open = (bytes: Uint8Array, options = {}): Promise<Checkpoint> => openCheckpoint(memorySource(bytes, "model.onnx"), options);
const external = (name: string, location: string, more: number[] = []): number[] =>
  initializer(tensor(name, FLOAT, [2], field(13, [...field(1, "location"), ...field(2, location)]), more, field(14, 1)));

describe.each(files.map((entry) => [entry.file, entry] as const))("%s", (file, { beside, tensors: truths }) => {
  it("gives every tensor as onnx does", async () => {
    const checkpoint = await openAmong(file, await bytesOf(file, ...beside));
    expect(checkpoint.format).toBe("onnx");
    expect(checkpoint.tensors.map(({ path, dtype, shape, byteLength, group }) => ({ path, dtype, shape, byteLength, group }))).toEqual(
      truths.map(({ path, dtype, shape, byteLength, group }) => ({ path, dtype, shape, byteLength, group })),
    );
    for (const [index, { path, sha256: digest, numbersSha256 }] of truths.entries()) {
      const found = checkpoint.tensors[index];
      if (!found) continue;
      expect(await sha256(await found.read()), path).toBe(digest);
      if (numbersSha256 !== undefined) expect(await sha256(await decodedTensor(found).read()), path).toBe(numbersSha256);
    }
    expect(checkpoint.findings.filter(({ severity }) => severity !== "info")).toEqual([]);
    await checkpoint.close();
  });

  it("opens without waiting", async () => {
    const all = await bytesOf(file, ...beside);
    const source = (name: string) => memorySource(all.get(name.replace("./", "")) ?? new Uint8Array(0), name);
    expect(openCheckpointSync(source(file), { openSiblingSync: source }).tensors).toHaveLength(truths.length);
  });
});

describe("what a model says of itself", () => {
  it("is plain metadata: versions, inputs, outputs, operators with those of branches, functions, properties", async () => {
    const { metadata, findings } = await openAmong("onnx-graphs.onnx", await bytesOf("onnx-graphs.onnx"));
    expect(metadata).toEqual({
      ir_version: 12,
      producer_name: "ckptkit fixtures",
      opset_import: { "ai.onnx": 23, "com.example": 1, own: 1 },
      metadata_props: { author: "ckptkit", größe: "重み" },
      graph: "fixture",
      inputs: { x: "FLOAT [batch, 3]", flag: "BOOL []" },
      outputs: { out: "FLOAT" },
      operators: {
        Constant: 5,
        Identity: 3,
        Add: 1,
        ConstantOfShape: 1,
        If: 1,
        Loop: 1,
        Mul: 1,
        "com.example::Gelu": 1,
        "own::Own": 1,
      },
      functions: ["own::Own"],
    });
    // Operators that the model defines itself need nothing of the runtime.
    expect(findings).toEqual([expect.objectContaining({ rule: "onnx-custom-operators", severity: "info" })]);
    expect(findings[0]?.message).toContain('"com.example" (1)');
    expect(findings[0]?.message).not.toContain('"own"');
  });

  it("shows text and sparse tensors in the tree", async () => {
    const shown = JSON.stringify((await openAmong("onnx-types.onnx", await bytesOf("onnx-types.onnx"))).tree, (key, value: unknown) =>
      key === "tensor" ? undefined : value,
    );
    expect(shown).toContain('["words",{"kind":"object","type":"onnx.TensorProto"');
    expect(shown).toContain('"größe"');
  });
});

describe("values", () => {
  it("are passed over when a model is opened, and read by range", async () => {
    const size = 3_000_000_000;
    const head = (bytes: number): number[] => [...field(1, bytes / 4), ...field(2, FLOAT), ...field(8, "w")];
    // A payload of 3 GB: lengths grow with it, so they are put together from the inside out.
    const tensorHead = [...head(size), 0x4a, ...varint(size)];
    const graphHead = [0x2a, ...varint(tensorHead.length + size)];
    const modelHead = [...field(1, 10), 0x3a, ...varint(graphHead.length + tensorHead.length + size)];
    const start = [...modelHead, ...graphHead, ...tensorHead];
    const end = field(8, field(2, 21));
    const source = countSource(
      sparseSource(start.length + size + end.length, [
        { at: 0, bytes: Uint8Array.from(start) },
        { at: start.length + size, bytes: Uint8Array.from(end) },
      ]),
    );
    const { tensors, metadata } = await openCheckpoint(source);
    expect(metadata.opset_import).toEqual({ "ai.onnx": 21 });
    expect(tensors[0]?.byteLength).toBe(size);
    expect(source.counts.reads).toBeLessThanOrEqual(3);
    expect(source.counts.bytesRead).toBeLessThan(200_000);
    await tensors[0]?.readInto(new Uint8Array(1024), 2_000_000_000);
    expect(source.counts.bytesRead).toBeLessThan(300_000);
  });

  it("that are tagged one by one are the same as packed ones, in any part", async () => {
    const count = 70_000; // more than what lies between two places that are remembered
    const values = Array.from({ length: count }, (_, index) => (index % 3 === 0 ? -index : index * 7919));
    const tagged = values.flatMap((value) => field(5, BigInt(value)));
    const floats = [1.5, -2, 3].flatMap((value) => [0x25, ...new Uint8Array(Float32Array.of(value).buffer)]);
    const bytes = model(
      initializer(tensor("tagged", INT32, [count], tagged)),
      initializer(
        tensor(
          "packed",
          INT32,
          [count],
          field(
            5,
            values.flatMap((value) => field(1, BigInt(value)).slice(1)),
          ),
        ),
      ),
      initializer(tensor("floats", FLOAT, [3], floats)),
      initializer(tensor("long", INT64, [2], field(7, -1n), field(7, 2n ** 62n))),
    );
    const { tensors, findings } = await open(bytes);
    expect(findings).toEqual([]);
    const expected = new Uint8Array(Int32Array.from(values).buffer);
    for (const found of tensors.slice(0, 2)) {
      expect(await found.read(), found.path).toEqual(expected);
      const part = new Uint8Array(400);
      await found.readInto(part, 4 * 69_000);
      expect(part, found.path).toEqual(expected.subarray(4 * 69_000, 4 * 69_100));
      await found.storage?.readInto(part.subarray(0, 7), 4 * 3 + 1); // not at the borders of elements
      expect(part.subarray(0, 7), found.path).toEqual(expected.subarray(13, 20));
    }
    expect(await tensors[2]?.read()).toEqual(new Uint8Array(Float32Array.of(1.5, -2, 3).buffer));
    expect(await tensors[3]?.read()).toEqual(new Uint8Array(BigInt64Array.of(-1n, 2n ** 62n).buffer));
  });

  it("that do not fit their shape are told, and the other tensors open", async () => {
    const bytes = model(
      initializer(tensor("short", FLOAT, [4], field(9, [0, 0, 0, 0]))),
      initializer(tensor("typed", INT32, [4], field(5, [1, 2, 3]))),
      initializer(tensor("negative", FLOAT, [], field(1, -1n), field(9, []))),
      initializer(tensor("other", 99, [1], field(9, [0]))),
      initializer(tensor("long", FLOAT, [1], field(9, [0, 0, 128, 63, 7, 7]))),
      initializer(tensor("none", FLOAT, [1])),
      initializer(tensor("good", FLOAT, [1], field(9, [0, 0, 128, 63]))),
    );
    const checkpoint = await open(bytes);
    expect(checkpoint.tensors.map(({ path }) => path)).toEqual(["long", "none", "good"]);
    expect(rulesOf(checkpoint)).toEqual([...Array<string>(4).fill("onnx-tensor"), "onnx-extra-bytes", "onnx-no-data"]);
    expect(checkpoint.findings[0]?.message).toBe('The tensor "short" cannot be read: it has 4 bytes of data, and its shape needs 16.');
    expect(await codeOf(checkpoint.tensors[1]?.read() ?? Promise.resolve())).toBe("NO_TENSORS");
    expect(await codeOf(open(bytes, { mode: "strict" }))).toBe("ONNX_CORRUPT");
    const few = await open(model(initializer(tensor("w", INT32, [4], field(5, [0x81, 1, 1, 0x81, 1])))));
    expect(await codeOf(few.tensors[0]?.read() ?? Promise.resolve())).toBe("ONNX_CORRUPT");
  });
});

describe("external data", () => {
  it.each(["../secret", "/etc/passwd", "a/../../b", "..\\b", "C:b", "", "a//b", "http://example.org/b"])(
    "is never looked for outside of the model's folder: %s",
    async (location) => {
      const asked: string[] = [];
      const openSibling = async (name: string) => {
        asked.push(name);
        return memorySource(new Uint8Array(8), name);
      };
      const checkpoint = await open(model(external("w", location)), { openSibling });
      expect(asked).toEqual([]);
      expect(checkpoint.findings[0]).toMatchObject({ rule: "onnx-external-path", severity: "error", at: "w" });
      expect(await codeOf(checkpoint.tensors[0]?.read() ?? Promise.resolve())).toBe("ONNX_EXTERNAL");
    },
  );

  it("that is missing, cut off, or cannot be opened is told, and the rest opens", async () => {
    const all = await bytesOf("onnx-external.onnx", "onnx-external.weights", "onnx-external.alone.bin");
    const without = await openAmong("onnx-external.onnx", new Map([...all].slice(0, 2)));
    expect(without.findings.filter(({ severity }) => severity === "error")).toEqual([
      expect.objectContaining({ rule: "onnx-external-missing", at: "onnx-external.alone.bin" }),
    ]);
    const byName = new Map(without.tensors.map((one) => [one.path, one]));
    expect(await codeOf(byName.get("alone")?.read() ?? Promise.resolve())).toBe("ONNX_EXTERNAL");
    expect((await byName.get("first")?.read())?.length).toBe(96);
    all.set("onnx-external.weights", (all.get("onnx-external.weights") ?? new Uint8Array(0)).slice(0, 8000));
    expect(rulesOf(await openAmong("onnx-external.onnx", all))).toContain("onnx-external-place");
    const alone = await openCheckpoint(memorySource(all.get("onnx-external.onnx") ?? new Uint8Array(0), "m.onnx"));
    expect([alone.tensors.length, ...rulesOf(alone)]).toEqual([4, "onnx-external-data", "onnx-external-checksum"]);
    expect(await codeOf(alone.tensors[0]?.read() ?? Promise.resolve())).toBe("ONNX_EXTERNAL");
  });
});

describe("hostile models", () => {
  it("whose fields reach out of what they stand in are refused", async () => {
    const inner = tensor("w", FLOAT, [1], [0x4a, 100, 0, 0, 0, 0]);
    expect(await codeOf(open(model(initializer(inner))))).toBe("ONNX_CORRUPT");
    const whole = model(initializer(tensor("w", FLOAT, [1], field(9, [0, 0, 0, 0]))));
    expect(await codeOf(open(whole.slice(0, -10)))).toBe("ONNX_CORRUPT");
  });

  it("with graphs in graphs in graphs end at a depth, and so does a graph that is a bomb of fields", async () => {
    let graph: number[] = [];
    for (let depth = 0; depth < 40; depth++) graph = field(1, [...field(4, "If"), ...field(5, [...field(1, "g"), ...field(6, graph)])]);
    expect(await codeOf(open(model(graph)))).toBe("ONNX_CORRUPT");
    const many = model(...Array.from({ length: 2000 }, () => field(1, field(4, "Relu"))));
    expect(await codeOf(open(many, { limits: { metadataValues: 3000 } }))).toBe("LIMIT_EXCEEDED");
    expect(await codeOf(open(many, { limits: { headerBytes: 1000 } }))).toBe("LIMIT_EXCEEDED");
  });

  it("that declare terabytes in a file that is not there get no memory for them", async () => {
    const place = field(13, [...field(1, "location"), ...field(2, "weights")]);
    const { tensors } = await open(model(initializer(tensor("w", FLOAT, [2 ** 40], place, field(14, 1)))));
    expect(tensors[0]?.byteLength).toBe(2 ** 42);
    expect(await codeOf(tensors[0]?.read() ?? Promise.resolve())).toBe("ONNX_EXTERNAL");
  });

  it("give two tensors of one name names of their own, and __proto__ its place", async () => {
    const one = (name: string): number[] => initializer(tensor(name, FLOAT, [1], field(9, [0, 0, 0, 0])));
    const { tensors } = await open(model(one("w"), one("w"), one("__proto__")));
    expect(tensors.map(({ path }) => path)).toEqual(["w", "w#2", "__proto__"]);
  });
});

describe("other files", () => {
  const matches = (...bytes: number[]): boolean => onnxReader.matches({ head: Uint8Array.from(bytes), size: bytes.length, name: "a.onnx" });

  it("are not taken for models, whatever their name", async () => {
    expect(matches(...new TextEncoder().encode("hello, this is a text file with some words in it"))).toBe(false);
    expect(matches(...field(1, 8), ...field(2, "no graph"))).toBe(false); // as saved_model.pb begins
    expect(matches(...field(7, field(2, "graph")))).toBe(false); // no version
    expect(matches(...field(1, 8), ...field(7, field(3, "x")))).toBe(false); // a field that graphs do not have
    expect(matches(...field(1, 8), ...field(7, field(1, field(11, "x"))))).toBe(false); // nor nodes
    expect(matches(...field(1, 8), ...field(7, field(2, "graph")))).toBe(true);
    for (const name of ["lstm.pt", "protocol-4.pt", "st-basic.safetensors", "gguf-types.gguf", "np-stored.npz", "tf-names.index"]) {
      const [head = new Uint8Array(0)] = (await bytesOf(name)).values();
      expect(onnxReader.matches({ head: head.slice(0, 65536), size: head.length, name: "model.onnx" }), name).toBe(false);
    }
  });

  it("that are given to the reader all the same give an error that says where it went wrong", async () => {
    const error = await openOnnx(memorySource(new TextEncoder().encode("hello"), "hello.onnx")).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: "ONNX_CORRUPT", message: expect.stringContaining("hello.onnx is no good ONNX model") });
  });
});
