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

/** The answer for each of the paths: {name: [shape, first two values]}. */
const READ = `
import torch, safetensors
result = []
for path in input:
    if path.endswith(".pt"):
        state = torch.load(path, mmap=True, weights_only=True)
    else:
        with safetensors.safe_open(path, framework="pt") as file:
            state = {name: file.get_slice(name) for name in file.keys()}
    result.append({name: [list(t.shape if hasattr(t, "shape") else t.get_shape()), t[:2].tolist()] for name, t in state.items()})
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
  it("hold what their makers say: small ones, single tensors beyond 4 GiB, many tensors across 4 GiB", async () => {
    const all = await Promise.all([
      bigTorchZip({ bytes: 4000, tensors: 5 }),
      bigTorchZip({ bytes: 20e9, tensors: 3 }),
      bigTorchZip({ bytes: 6e9, tensors: 40 }),
      bigSafetensors({ bytes: 4000, tensors: 5 }),
      bigSafetensors({ bytes: 20e9, tensors: 3 }),
    ]);
    try {
      const expected = all.map((big) => Object.fromEntries(big.tensors.map((name, index) => [name, [big.shape, [index + 0.5, 0]]])));
      expect(await oracle.run(READ, { input: all.map((big) => big.path) })).toEqual(expected);
    } finally {
      for (const big of all) await big.remove();
    }
  });

  it("bigTorchByOracle writes random weights", () =>
    withBig(bigTorchByOracle(oracle, { bytes: 1 << 20, tensors: 2 }), async (big) => {
      expect(big.size).toBeGreaterThan(1 << 20);
      const found = await oracle.run('import torch\nresult = [t.std().item() for t in torch.load(input["path"]).values()]', {
        input: { path: big.path },
      });
      expect(found).toEqual([expect.closeTo(1, 1), expect.closeTo(1, 1)]);
    }));
});
