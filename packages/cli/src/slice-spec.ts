import { CheckpointConfigError } from "@ckptkit/core";
import type { SliceOptions } from "@ckptkit/inspect";

/**
 * The plane that an index in Python's style names: `3,:,0:64` is place 3 of the first axis, all of the second down, and 64 places of
 * the third to the right. Axes that are not named, and ranges without ends beyond two, are all of the last axes and the first place of others.
 *
 * @throws {CheckpointConfigError} INVALID_ARGUMENT
 */
export function parseSlice(
  text: string,
  shape: readonly number[],
): Pick<SliceOptions, "rowAxis" | "columnAxis" | "fixed" | "rows" | "columns"> {
  const parts = text.trim() === "" ? [] : text.split(",").map((part) => part.trim());
  const rank = shape.length;
  const invalid = (why: string): CheckpointConfigError =>
    new CheckpointConfigError("INVALID_ARGUMENT", `--slice ${JSON.stringify(text)} ${why}; the shape is [${shape.join(", ")}].`, {
      details: { slice: text, shape },
      suggestions: [
        "Give a place or a range for each axis, such as '0,:,0:64'. Two ranges make the picture.",
        "All of the last two axes: ':'",
      ],
    });
  if (parts.length > rank) throw invalid(`names ${parts.length} axes`);
  const fixed = shape.map(() => 0);
  const ranges = new Map<number, readonly [number, number]>();
  const open: number[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const size = shape[axis] ?? 0;
    const [, place, from, to] = /^(?:(-?\d+)|(-?\d*):(-?\d*))$/.exec(parts[axis] ?? ":") ?? [undefined, undefined, undefined, undefined];
    const at = (digits: string | undefined, usual: number): number => {
      if (digits === undefined || digits === "") return usual;
      return Number(digits) < 0 ? Number(digits) + size : Number(digits);
    };
    if (place !== undefined) {
      fixed[axis] = at(place, 0);
      if ((fixed[axis] ?? 0) < 0 || (fixed[axis] ?? 0) >= size) throw invalid(`asks for place ${place} of axis ${axis}`);
    } else if (from === undefined) throw invalid(`has ${JSON.stringify(parts[axis])}, which is no place and no range`);
    else if (from === "" && to === "") open.push(axis);
    else {
      const range = [Math.min(size, Math.max(0, at(from, 0))), Math.min(size, Math.max(0, at(to, size)))] as const;
      if (range[0] >= range[1]) throw invalid(`has an empty range for axis ${axis}`);
      ranges.set(axis, range);
    }
  }
  if (ranges.size > 2) throw invalid("has more than two ranges");
  const axes = [...ranges.keys(), ...open.slice(Math.max(0, open.length - (2 - ranges.size)))].sort((a, b) => a - b);
  const [first, second] = axes.length > 1 ? axes : [undefined, axes[0]];
  if (rank > 0 && second === undefined) throw invalid("has no range");
  const [rows, columns] = [first, second].map((axis) => (axis === undefined ? undefined : ranges.get(axis)));
  return { rowAxis: first ?? null, columnAxis: second, fixed, rows, columns };
}
