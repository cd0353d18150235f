import { VIEWS } from "../views/index.js";
import type { Place } from "./place.js";

/** Shows the tensors that a filter chooses. */
export function showTensors({ filter, mode, view }: Place, text: string): void {
  filter.value = text;
  if (mode.value === "map") mode.value = "";
  view.value = "tensors";
}

/** Shows one tensor, in the view that is for that. */
export function showTensor({ tensor, view }: Place, path: string): void {
  tensor.value = path;
  if (VIEWS.some(({ id }) => id === "tensor")) view.value = "tensor";
}
