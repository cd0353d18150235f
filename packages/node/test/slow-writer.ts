// A program that writes half of a file and then waits to be killed.
import { fileSink } from "../src/file-sink.js";

const [path = ""] = process.argv.slice(2);
const sink = await fileSink(path);
await sink.write(new Uint8Array(1_000_000).fill(0xbb));
process.stdout.write("half\n");
setInterval(() => undefined, 1000);
