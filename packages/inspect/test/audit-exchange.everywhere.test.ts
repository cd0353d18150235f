import { memorySource } from "@ckptkit/core";
import { loadFixture } from "@ckptkit/testkit/vite";
import { describe, expect, it } from "vitest";
import { auditSource } from "../src/audit/index.js";
import { concat, PAYLOAD } from "./hostile.js";

const auditFixture = async (file: string, name = file) => auditSource(memorySource(await loadFixture(file), name));
const DATA = "tf-types.data-00000-of-00003";

describe("ONNX models and TensorFlow checkpoints", () => {
  it.each(["onnx-types.onnx", "onnx-graphs.onnx", "onnx-external.onnx", "tf-objects.index", "tf-names.index", "tf-slots.checkpoint", DATA])(
    "hold no code: %s is clean, and says why",
    async (file) => {
      const { verdict, reason, findings } = await auditFixture(file);
      expect([verdict, reason]).toEqual(["clean", "It holds data only: nothing would be imported or called."]);
      expect(findings.filter(({ severity }) => severity !== "info")).toEqual([]);
    },
  );

  it("with operators of another domain are clean all the same, and say so", async () => {
    const { findings } = await auditFixture("onnx-graphs.onnx");
    expect(findings.map(({ rule }) => rule)).toEqual(["onnx-custom-operators"]);
  });

  it("that were cut off are inconclusive", async () => {
    for (const file of ["onnx-types.onnx", "tf-names.index"]) {
      const bytes = (await loadFixture(file)).slice(0, -60);
      expect((await auditSource(memorySource(bytes, file))).verdict, file).toBe("inconclusive");
    }
  });

  it("with values outside of the model's folder are suspicious", async () => {
    const text = String.fromCharCode(...(await loadFixture("onnx-external.onnx")));
    const hostile = text.replaceAll("onnx-external.weights", "../../../../etc/passw"); // as long
    const bytes = Uint8Array.from(hostile, (char) => char.charCodeAt(0));
    const { verdict, reason } = await auditSource(memorySource(bytes, "model.onnx"));
    expect(verdict).toBe("suspicious");
    expect(reason).toContain("../../../../etc/passw");
  });

  it("do not hide what has their names: a pickle is one, and numbers that begin like one are none", async () => {
    expect((await auditSource(memorySource(PAYLOAD, DATA))).verdict).toBe("dangerous");
    const numbers = concat(Uint8Array.of(0x80, 2, 0xff, 0xfe), await loadFixture(DATA));
    expect((await auditSource(memorySource(numbers, DATA))).verdict).toBe("clean");
  });
});
