// Checksums of bytes in memory.
import { createHash } from "node:crypto";
import * as zlib from "node:zlib";
import { Absent, peer } from "../lib/turns.mjs";

const MIB = 1024 * 1024;

function pattern(length) {
  const bytes = new Uint8Array(length);
  let state = 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

const hex32 = (number) => (number >>> 0).toString(16).padStart(8, "0");

/** hash-wasm, in steps of 1 MiB: it copies what it is given into a memory of its own. */
const hashWasm = (bytes, create) =>
  peer(async () => {
    const hasher = await create(await import("hash-wasm"));
    return () => ({ answer: hasher.init().update(bytes).digest("hex") });
  });
const noble = (bytes, module, name) =>
  peer(async () => {
    const { [name]: hash } = await import(module);
    return () => ({ answer: Buffer.from(hash(bytes)).toString("hex") });
  });
const nodeCrypto = (bytes, name) => () => ({ answer: createHash(name).update(bytes).digest("hex") });
const native = (bytes, name) =>
  peer(async () => {
    const { [name]: hash } = await import("@node-rs/crc32");
    return () => ({ answer: hex32(hash(bytes)) });
  });
const ofZlib = (bytes) =>
  zlib.crc32 ? () => ({ answer: hex32(zlib.crc32(bytes)) }) : new Absent("this Node has none (20.15 and 22.2 have)");
/** Another function than XXH3, so its answer is not compared: what the package offers for the same purpose. */
const xxh64 = (bytes) =>
  peer(async () => {
    const { create64 } = await (await import("xxhash-wasm")).default();
    return () => void create64().update(bytes).digest();
  });

/** Algorithms: peers, and by how much they are to be passed. */
const ALGORITHMS = {
  crc32: {
    peers: (bytes) => ({
      "hash-wasm": hashWasm(bytes, ({ createCRC32 }) => createCRC32()),
      "zlib.crc32": ofZlib(bytes),
      "@node-rs/crc32": native(bytes, "crc32"),
    }),
    targets: [
      { peer: "hash-wasm", atLeast: 2 },
      { peer: "zlib.crc32", atLeast: 1, node: true },
    ],
  },
  crc32c: {
    peers: (bytes) => ({
      "hash-wasm": hashWasm(bytes, ({ createCRC32 }) => createCRC32(0x82f63b78)),
      "@node-rs/crc32": native(bytes, "crc32c"),
    }),
    targets: [{ peer: "hash-wasm", atLeast: 2 }],
  },
  xxh3: {
    peers: (bytes) => ({ "hash-wasm": hashWasm(bytes, ({ createXXHash3 }) => createXXHash3()), "xxhash-wasm (XXH64)": xxh64(bytes) }),
    targets: [{ peer: "hash-wasm", atLeast: 3 }],
  },
  "xxh3-128": { peers: (bytes) => ({ "hash-wasm": hashWasm(bytes, ({ createXXHash128 }) => createXXHash128()) }) },
  sha256: {
    peers: (bytes) => ({
      "hash-wasm": hashWasm(bytes, ({ createSHA256 }) => createSHA256()),
      "node:crypto": nodeCrypto(bytes, "sha256"),
      "@noble/hashes": noble(bytes, "@noble/hashes/sha2.js", "sha256"),
    }),
    targets: [{ peer: "node:crypto", atLeast: 0.95, node: true }],
  },
  blake3: {
    peers: (bytes) => ({
      "hash-wasm": hashWasm(bytes, ({ createBLAKE3 }) => createBLAKE3()),
      "@noble/hashes": noble(bytes, "@noble/hashes/blake3.js", "blake3"),
    }),
    targets: [{ peer: "hash-wasm", atLeast: 3 }],
  },
  md5: {
    peers: (bytes) => ({ "hash-wasm": hashWasm(bytes, ({ createMD5 }) => createMD5()), "node:crypto": nodeCrypto(bytes, "md5") }),
  },
};

/** Bytes where each tool has them read to: in the kernels' own memory for ours, which hash them where they lie; hash-wasm has none to read to. */
function hashed(kernels, algorithm, bytes) {
  return () => {
    const hasher = kernels.hasher(algorithm);
    hasher.update(bytes);
    const answer = hasher.hexDigest();
    hasher.free();
    return { answer };
  };
}

/** The same bytes in the kernels' memory. */
function inside(kernels, bytes) {
  const buffer = kernels.allocate(bytes.length);
  buffer.bytes.set(bytes);
  return buffer.bytes;
}

const OURS = { wasm: "ckptkit: WebAssembly", copied: "ckptkit: WebAssembly, bytes copied", node: "ckptkit: in Node" };

export const works = Object.entries(ALGORITHMS).map(([algorithm, { peers, targets = [] }]) => ({
  name: algorithm,
  task: `${algorithm} of bytes in memory`,
  targets: targets.map(({ node, ...target }) => ({ ...target, ours: node ? OURS.node : OURS.wasm })),
  async prepare(kit) {
    const bytes = pattern((kit.quick ? 16 : 64) * MIB);
    const kernels = await kit.ckptkit.loadKernels({ memoryBytes: bytes.length + 16 * MIB });
    const tools = {
      [OURS.wasm]: hashed(kernels, algorithm, inside(kernels, bytes)),
      [OURS.copied]: hashed(kernels, algorithm, bytes),
      [OURS.node]: hashed(await kit.ckptkit.nodePlatform().kernels(), algorithm, bytes),
    };
    for (const [name, loading] of Object.entries(peers(bytes))) tools[name] = await loading;
    return { bytes: bytes.length, tools };
  },
}));
