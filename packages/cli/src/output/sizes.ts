/** An integer with separators of thousands: `1,234,567`. */
export function countText(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** `1 tensor`, `2 tensors`. */
export function plural(count: number, noun: string): string {
  return `${countText(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** A duration for people: `31 ms`, `2.4 s`, `3 min 5 s`. */
export function durationText(ms: number): string {
  if (ms < 999.5) return `${ms < 9.95 ? ms.toFixed(1) : Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${countText(Math.floor(seconds / 60))} min ${seconds % 60} s`;
}

/** Throughput in decimal units, as disks and networks are sold: `1.3 GB/s`. */
export function rateText(bytes: number, ms: number): string {
  const perSecond = bytes / (Math.max(ms, 0.1) / 1000);
  return perSecond >= 1e9 ? `${(perSecond / 1e9).toFixed(1)} GB/s` : `${(perSecond / 1e6).toFixed(perSecond < 1e7 ? 1 : 0)} MB/s`;
}

/** Fewer bytes than these say nothing of how fast it was. */
const TELLING_BYTES = 10e6;

/** How long it took, and how fast where that means something: `2.4 s, 1.3 GB/s`. */
export function paceText(bytes: number, ms: number): string {
  return bytes < TELLING_BYTES ? durationText(ms) : `${durationText(ms)}, ${rateText(bytes, ms)}`;
}

/** A statistic with four significant digits; integers below a million in full; nothing for null. */
export function numberText(value: number | null): string {
  if (value === null) return "";
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return Object.is(value, -0) ? "0" : countText(value);
  const size = Math.abs(value);
  return size >= 1e6 || size < 1e-3 ? value.toExponential(3) : String(Number(value.toPrecision(4)));
}
