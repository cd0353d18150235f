// One work in a process of its own: its time, as it begins with nothing loaded and no code warm, and the most memory that it held.
//   node child.mjs open FILE | convert FILE OUT [DTYPE]
import { convertCheckpoint } from "@ckptkit/inspect";
import { fileSink, nodePlatform, openCheckpoint } from "@ckptkit/node";

const [command, file, out = "", dtype] = process.argv.slice(2);
const start = performance.now();
const checkpoint = await openCheckpoint(file);
if (command === "convert") {
  const kernels = await nodePlatform().kernels();
  await convertCheckpoint(checkpoint, (name) => fileSink(name), { kernels, fileName: out, to: "safetensors", dtype });
}
const ms = performance.now() - start;
const tensors = checkpoint.tensors.length;
await checkpoint.close();
process.stdout.write(JSON.stringify({ ms, tensors, residentBytes: process.resourceUsage().maxRSS * 1024 }));
