// The kernels on bytes that are in their memory already: bytes a second, best of several runs.
const BYTES = 8 * 1024 * 1024;

export function kernelSpeeds(kernels, rounds = 12) {
  const { bytes, free } = kernels.allocate(BYTES);
  const numbers = new Float32Array(bytes.buffer, bytes.byteOffset, BYTES / 4);
  for (let i = 0; i < numbers.length; i++) numbers[i] = Math.sin(i);
  const best = (start) => {
    let fastest = 0;
    for (let round = 0; round < rounds; round++) {
      const work = start();
      const began = performance.now();
      for (let pass = 0; pass < 4; pass++) work.update(bytes);
      fastest = Math.max(fastest, (4 * BYTES) / ((performance.now() - began) / 1000));
      work.free();
    }
    return fastest;
  };
  const speeds = {};
  speeds["scan F32"] = best(() => kernels.scanner("F32"));
  // A bfloat16 is the upper half of a float32; the lower halves would be NaN now and then.
  const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, BYTES / 2);
  for (let i = 0; i < halves.length; i += 2) halves[i] = halves[i + 1];
  speeds["scan BF16"] = best(() => kernels.scanner("BF16"));
  for (const algorithm of ["xxh3", "crc32", "blake3", "sha256"]) speeds[algorithm] = best(() => kernels.hasher(algorithm));
  free();
  return speeds;
}
