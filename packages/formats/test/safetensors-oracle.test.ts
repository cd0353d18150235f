import { memorySource } from "@ckptkit/core";
import { describeWithOracle } from "@ckptkit/testkit/node";
import { expect, it } from "vitest";
import { openSafetensors } from "../src/index.js";
import { HEADERS } from "./safetensors-headers.js";

/** `input`: files in base64. */
const SCRIPT = `
import base64, os, tempfile
from safetensors import safe_open

def opens(data):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "x.safetensors")
        with open(path, "wb") as file:
            file.write(data)
        try:
            with safe_open(path, "np") as file:
                return sorted(file.keys())
        except Exception as error:
            return None

result = [opens(base64.b64decode(text)) for text in input]
`;

describeWithOracle("the reference implementation of safetensors", (oracle) => {
  it("accepts and refuses the same files, apart from differences that are known", async () => {
    const found = (await oracle.run(SCRIPT, { input: HEADERS.map(({ bytes }) => Buffer.from(bytes).toString("base64")) })) as (
      | string[]
      | null
    )[];
    for (const [index, { name, bytes, compatible, reference }] of HEADERS.entries()) {
      const accepted = typeof compatible !== "string";
      expect(found[index] !== null, name).toBe(reference?.accepts ?? accepted);
      if (!accepted || reference) continue;
      const { tensors } = await openSafetensors(memorySource(bytes));
      expect(tensors.map((tensor) => tensor.name).sort(), name).toEqual(found[index]);
    }
  });
});
