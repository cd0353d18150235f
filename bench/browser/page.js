// What bench/browser-scan.mjs runs in the page.

import { workerPool } from "@ckptkit/browser";
import { blobSource, OWN_READ_BYTES } from "@ckptkit/core";
import { openCheckpoint } from "@ckptkit/formats";
import { scanCheckpoint } from "@ckptkit/inspect";
import { loadKernels } from "@ckptkit/wasm";
import { kernelSpeeds } from "./kernel-speeds.js";

const file = () => document.querySelector("input").files[0];

/** Reads all of a file in slices, so many at a time, and does nothing with them. Milliseconds. */
async function readSlices(blob, sliceBytes, inFlight, from = 0, to = blob.size) {
  const start = performance.now();
  let at = from;
  const lane = async () => {
    while (at < to) {
      const begin = at;
      at += sliceBytes;
      await blob.slice(begin, Math.min(to, begin + sliceBytes)).arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return performance.now() - start;
}

const reader = `
${readSlices.toString()}
onmessage = async ({ data: { blob, sliceBytes, inFlight, from, to, sync } }) => {
  if (!sync) return postMessage(await readSlices(blob, sliceBytes, inFlight, from, to));
  const start = performance.now();
  const reader = new FileReaderSync();
  for (let at = from; at < to; at += sliceBytes) reader.readAsArrayBuffer(blob.slice(at, Math.min(to, at + sliceBytes)));
  postMessage(performance.now() - start);
};`;

/** The same in workers, each with a share of the file. Milliseconds until the last is done. */
async function readInWorkers(workers, sliceBytes, inFlight, sync) {
  const blob = file();
  const share = Math.ceil(blob.size / workers);
  const url = URL.createObjectURL(new Blob([reader], { type: "text/javascript" }));
  const started = Array.from({ length: workers }, () => new Worker(url));
  const start = performance.now();
  await Promise.all(
    started.map(
      (worker, index) =>
        new Promise((resolve) => {
          worker.onmessage = resolve;
          worker.postMessage({ blob, sliceBytes, inFlight, sync, from: index * share, to: Math.min(blob.size, (index + 1) * share) });
        }),
    ),
  );
  const ms = performance.now() - start;
  for (const worker of started) worker.terminate();
  return ms;
}

const pools = new Map();

/** Scans the file, and watches the main thread meanwhile. */
async function scan(workers) {
  if (workers > 0 && !pools.has(workers)) pools.set(workers, await workerPool({ size: workers }));
  const pool = pools.get(workers);
  const kernels = await loadKernels();
  const long = [];
  const observer = new PerformanceObserver((list) => long.push(...list.getEntries().map(({ duration }) => duration)));
  observer.observe({ type: "longtask" });
  const checkpoint = await openCheckpoint(blobSource(file()));
  let reports = 0;
  const start = performance.now();
  const { totals } = await scanCheckpoint(checkpoint, { kernels, pool, onProgress: () => reports++ });
  const ms = performance.now() - start;
  await new Promise((resolve) => setTimeout(resolve, 100));
  observer.disconnect();
  return { ms, numbers: totals.count, nan: totals.nan, longTasks: long, reports, heapBytes: performance.memory?.usedJSHeapSize };
}

globalThis.bench = {
  OWN_READ_BYTES,
  isolated: crossOriginIsolated,
  read: (sliceBytes, inFlight) => readSlices(file(), sliceBytes, inFlight),
  readInWorkers,
  scan,
  kernels: async () => kernelSpeeds(await loadKernels()),
};
