const DIGITS = /^\d+$/;

/**
 * Compares names as people order them: numbers by their value ("2" before "10"), everything else by code units.
 *
 * @example ["10", "weight", "2"].sort(compareNatural) // ["2", "10", "weight"]
 */
export function compareNatural(a: string, b: string): number {
  if (a === b) return 0;
  if (DIGITS.test(a) && DIGITS.test(b)) return Number(a) - Number(b) || a.length - b.length;
  const as = a.split(/(\d+)/);
  const bs = b.split(/(\d+)/);
  for (let index = 0; index < Math.min(as.length, bs.length); index++) {
    const x = as[index] ?? "";
    const y = bs[index] ?? "";
    if (x === y) continue;
    // Every second part is a number, by the way in which they were split.
    const difference = index % 2 === 1 ? Number(x) - Number(y) : 0;
    return difference || (x < y ? -1 : 1);
  }
  return as.length - bs.length;
}
