// Looks for NaN and Inf in every tensor by turns with ckptkit, which also gives ranges, mean and deviation, and with torch, which loads the file
// through mmap: node bench/scan.mjs [FILE] [PYTHON] [--save]
import { sideBySide } from "./side-by-side.mjs";

await sideBySide("scan", {
  exports: 'export { nodePlatform, openCheckpoint } from "@ckptkit/node"; export { scanCheckpoint } from "@ckptkit/inspect"',
  ours: async ({ nodePlatform, openCheckpoint, scanCheckpoint }, file) => {
    const checkpoint = await openCheckpoint(file);
    await scanCheckpoint(checkpoint, { kernels: await nodePlatform().kernels() });
    await checkpoint.close();
  },
  peer: "torch: isfinite min max mean std",
  line: "for t in torch.load(path, weights_only=True, mmap=True).values():\n    torch.isfinite(t).all(); t.min(); t.max(); t.mean(); t.std()",
});
