// What a person waits for in a table of half a million tensors: `npx vitest bench --run --project node test/playground`.
import { bench, describe } from "vitest";
import { TensorColumns } from "../../playground/engine/columns.js";
import { parseFilter } from "../../playground/engine/filter.js";
import { ModuleIndex } from "../../playground/engine/module-index.js";
import type { TensorQuery } from "../../playground/engine/tensor-listing.js";
import { TensorOrders } from "../../playground/engine/tensor-order.js";
import { TensorRows } from "../../playground/engine/tensor-rows.js";
import { manyTensors } from "./synthetic.js";

const tensors = manyTensors(500_000);
const columns = new TensorColumns(tensors);
const index = new ModuleIndex(columns);
const once = { iterations: 3, time: 0, warmupIterations: 1, warmupTime: 0 };

describe("500,000 tensors", () => {
  const rowsOf = (): TensorRows => new TensorRows(columns, () => index, new TensorOrders(columns, () => index), new Map());
  const shared = rowsOf();
  const list = (rows: TensorRows, query: Partial<TensorQuery>): void => {
    const whole: TensorQuery = { mode: "flat", filter: "", sort: "file", descending: false, ...query };
    rows.list(whole, parseFilter(whole.filter, columns));
  };
  bench("columns", () => void new TensorColumns(tensors), once);
  bench("modules", () => void new ModuleIndex(columns), once);
  bench("sort by bytes, the first time", () => list(rowsOf(), { sort: "bytes", descending: true }), once);
  bench("filter by words", () => list(shared, { filter: "norm layers.3" }), once);
  bench("filter by a glob", () => list(shared, { filter: "attn.*.weight" }), once);
  bench("tree", () => list(shared, { mode: "tree" }), once);
  bench(
    "open all of the tree",
    () => {
      list(shared, { mode: "tree" });
      shared.toggle(index.find("state_dict") ?? 0, true, true);
    },
    once,
  );
  bench("64 rows", () => void shared.rows(250_000, 250_064), once);
});
