import { interpolateRdBu, interpolateViridis } from "d3-scale-chromatic";

/** Colours of numbers: from blue over white to red around 0, or from dark to bright. */
export interface ColourScale {
  readonly from: number;
  readonly to: number;
  readonly isDiverging: boolean;
  /** Where a number stands between the ends, from 0 to 255. */
  stepOf(value: number): number;
  /** Red, green and blue of each of the 256 steps. */
  readonly steps: Uint8ClampedArray;
}

/** What NaN is drawn in: a colour that no scale has. */
export const NAN_COLOUR: readonly [number, number, number] = [255, 0, 220];
/** What infinities are drawn in. */
export const INF_COLOUR: readonly [number, number, number] = [255, 150, 0];

/**
 * A scale for the finite numbers from `min` to `max`: diverging and symmetric where they are on both sides of 0.
 *
 * @param clip the ends are so many times nearer to the middle: makes the small differences of most numbers visible.
 */
export function colourScale(min: number, max: number, clip = 1): ColourScale {
  const isDiverging = min < 0 && max > 0;
  const reach = Math.max(Math.abs(min), Math.abs(max)) / clip;
  const from = isDiverging ? -reach : min;
  const to = isDiverging ? reach : min + (max - min) / clip;
  const span = to - from || 1;
  const colourOf = isDiverging ? (place: number) => interpolateRdBu(1 - place) : interpolateViridis;
  const steps = new Uint8ClampedArray(256 * 3);
  for (let step = 0; step < 256; step++) steps.set(channelsOf(colourOf(step / 255)), 3 * step);
  return { from, to, isDiverging, steps, stepOf: (value) => Math.max(0, Math.min(255, Math.round((255 * (value - from)) / span))) };
}

/** The scale as a gradient of CSS, from its low end to its high one. */
export function gradientOf({ steps }: ColourScale): string {
  const colours = Array.from({ length: 17 }, (_, index) => {
    const at = 3 * Math.round((255 * index) / 16);
    return `rgb(${steps[at]} ${steps[at + 1]} ${steps[at + 2]})`;
  });
  return `linear-gradient(to right, ${colours.join(", ")})`;
}

/** d3 writes colours as `rgb(1, 2, 3)` or `#010203`. */
function channelsOf(colour: string): number[] {
  if (colour.startsWith("#")) return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  return (colour.match(/\d+/g) ?? []).slice(0, 3).map(Number);
}
