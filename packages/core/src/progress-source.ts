import { type ByteSource, readInto } from "./byte-source.js";
import type { Progress } from "./progress.js";
import { wrapSource } from "./wrap-source.js";

/** Ten reports a second: as often as a person can follow, and too seldom to cost anything. */
const REPORT_INTERVAL_MS = 100;

/**
 * Reports how many of the source's bytes were read: at most ten times a second, when all were, and when the source is
 * closed. Bytes that are read twice count twice, up to the source's size.
 *
 * @example const source = progressSource(await fileSource(path), ({ done, total }) => draw(done / total));
 */
export function progressSource(inner: ByteSource, onProgress: (progress: Progress) => void, phase = "read"): ByteSource {
  let done = 0;
  let reported = 0;
  let reportedAt = Number.NEGATIVE_INFINITY;
  const report = (): void => {
    reported = done;
    reportedAt = performance.now();
    onProgress({ phase, done, total: inner.size });
  };
  const add = (bytes: number): void => {
    done = Math.min(done + bytes, inner.size);
    if (done > reported && (done === inner.size || performance.now() - reportedAt >= REPORT_INTERVAL_MS)) report();
  };
  const source = wrapSource(inner, {
    async read(start, end, options) {
      const bytes = await inner.read(start, end, options);
      add(bytes.length);
      return bytes;
    },
    async readInto(target, start, options) {
      await readInto(inner, target, start, options);
      add(target.length);
    },
  });
  return {
    ...source,
    async close() {
      if (done > reported) report();
      await inner.close?.();
    },
  };
}
