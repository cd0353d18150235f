#!/usr/bin/env node
// Only old syntax here: an old Node has to get as far as the message.
const NEEDED = [20, 19];
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1])) {
  process.stderr.write(`ckpt needs Node.js ${NEEDED.join(".")} or newer; this is ${process.versions.node}.\n`);
  process.exitCode = 2;
} else {
  import("node:module")
    .then((module) => {
      // Node 22.8 and newer keep what they have compiled for the next run.
      if (module.enableCompileCache) module.enableCompileCache();
      return import("../dist/main.js");
    })
    .then(({ main }) => main());
}
