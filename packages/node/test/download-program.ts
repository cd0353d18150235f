// A program that downloads a file with its checksum into a folder, and says where the copy is: to be killed.
import { httpFile, parseChecksum } from "@ckptkit/core";
import { folderDownloads } from "../src/index.js";
import { loadNodeKernels } from "../src/load-kernels.js";

const [address = "", folder = "", sha256 = ""] = process.argv.slice(2);
const source = await folderDownloads({ folder }, loadNodeKernels).open(httpFile(address), { checksum: parseChecksum(sha256) });
process.stdout.write(JSON.stringify(source.descriptor?.()));
await source.close?.();
