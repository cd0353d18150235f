import { open, stat } from "node:fs/promises";
import { type BigFile, bigSafetensors, bigTorchByOracle, bigTorchZip, describeWithOracle } from "@ckptkit/testkit/node";
import { describe, expect, it } from "vitest";

async function withBig(made: Promise<BigFile>, test: (big: BigFile) => Promise<void>): Promise<void> {
  const big = await made;
  try {
    await test(big);
  } finally {
    await big.remove();
  }
}

const READ = `
import torch, safetensors
path = input["path"]
if path.endswith(".pt"):
    state = torch.load(path, mmap=True, weights_only=True)
else:
    with safetensors.safe_open(path, framework="pt") as file:
        state = {name: file.get_slice(name) for name in file.keys()}
result = {name: [list(t.shape if hasattr(t, "shape") else t.get_shape()), t[:2].tolist()] for name, t in state.items()}
`;

describe("large files", () => {
  it.each([
    ["bigSafetensors", bigSafetensors],
    ["bigTorchZip", bigTorchZip],
  ])("%s takes hardly any room on the disk", (_, make) =>
    withBig(make({ bytes: 20e9, tensors: 3 }), async (big) => {
      const { size, blocks } = await stat(big.path);
      expect(size).toBe(big.size);
      expect(size).toBeGreaterThan(19.9e9);
      // Block counts are of 512 bytes (POSIX stat); a file system without holes would need all of it.
      expect(blocks * 512).toBeLessThan(1_000_000);
    }),
  );

  it("are gone when they are removed", async () => {
    const big = await bigSafetensors({ bytes: 1000 });
    await big.remove();
    await expect(open(big.path)).rejects.toThrow("ENOENT");
  });
});

describeWithOracle("large files as torch and safetensors read them", (oracle) => {
  it.each([
    ["bigTorchZip of small tensors", () => bigTorchZip({ bytes: 4000, tensors: 5 })],
    ["bigTorchZip with tensors beyond 4 GiB", () => bigTorchZip({ bytes: 20e9, tensors: 3 })],
    ["bigTorchZip with many tensors across 4 GiB", () => bigTorchZip({ bytes: 6e9, tensors: 40 })],
    ["bigSafetensors", () => bigSafetensors({ bytes: 20e9, tensors: 3 })],
  ])("%s", (_, make) =>
    withBig(make(), async (big) => {
      const expected = big.tensors.map((name, index) => [name, [big.shape, [index + 0.5, 0]]]);
      expect(await oracle.run(READ, { input: { path: big.path } })).toEqual(Object.fromEntries(expected));
    }),
  );

  it("bigTorchByOracle writes random weights", () =>
    withBig(bigTorchByOracle(oracle, { bytes: 1 << 20, tensors: 2 }), async (big) => {
      expect(big.size).toBeGreaterThan(1 << 20);
      const found = await oracle.run('import torch\nresult = [t.std().item() for t in torch.load(input["path"]).values()]', {
        input: { path: big.path },
      });
      expect(found).toEqual([expect.closeTo(1, 1), expect.closeTo(1, 1)]);
    }));
});
