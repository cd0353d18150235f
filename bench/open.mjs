// Opens one checkpoint by turns with ckptkit and with torch.load: node bench/open.mjs [FILE] [PYTHON] [--save]
import { sideBySide } from "./side-by-side.mjs";

await sideBySide("open", {
  exports: 'export { openCheckpoint } from "@ckptkit/node"',
  ours: async ({ openCheckpoint }, file) => {
    const checkpoint = await openCheckpoint(file);
    await checkpoint.close();
  },
  peer: "torch.load",
  line: "torch.load(path, weights_only=True)",
});
