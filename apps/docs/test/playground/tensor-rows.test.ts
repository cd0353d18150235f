import { CheckpointConfigError } from "@ckptkit/core";
import { describe, expect, it } from "vitest";
import { TensorColumns } from "../../playground/engine/columns.js";
import { parseFilter } from "../../playground/engine/filter.js";
import { ModuleIndex } from "../../playground/engine/module-index.js";
import type { TensorQuery } from "../../playground/engine/tensor-listing.js";
import { TensorOrders } from "../../playground/engine/tensor-order.js";
import { TensorRows } from "../../playground/engine/tensor-rows.js";
import { manyTensors, namedTensors } from "./synthetic.js";

const NAMES = ["model.layers.10.weight", "model.layers.2.weight", "model.layers.2.bias", "model.norm", "head.weight", "scale"];

function tableOf(tensors = namedTensors(NAMES)) {
  const columns = new TensorColumns(tensors);
  const index = new ModuleIndex(columns);
  const rows = new TensorRows(columns, () => index, new TensorOrders(columns, () => index), new Map());
  const list = (query: Partial<TensorQuery>) => {
    const whole: TensorQuery = { mode: "flat", filter: "", sort: "file", descending: false, ...query };
    return rows.list(whole, parseFilter(whole.filter, columns));
  };
  const labels = (): string[] => rows.rows(0, 1000).map(({ label }) => label);
  return { columns, index, rows, list, labels };
}

describe("the flat table", () => {
  it("lists tensors in file order", () => {
    const { list, labels } = tableOf();
    expect(list({})).toMatchObject({ rows: 6, tensors: 6, params: 21 });
    expect(labels()).toEqual(NAMES);
  });

  it("puts layer 2 before layer 10 when it is sorted by name", () => {
    const { list, labels } = tableOf();
    list({ sort: "name" });
    expect(labels()).toEqual([
      "head.weight",
      "model.layers.2.bias",
      "model.layers.2.weight",
      "model.layers.10.weight",
      "model.norm",
      "scale",
    ]);
    list({ sort: "name", descending: true });
    expect(labels()[0]).toBe("scale");
  });

  it.each([
    ["params", "model.layers.10.weight"],
    ["bytes", "model.layers.10.weight"],
    ["shape", "model.layers.10.weight"],
    ["dtype", "model.layers.10.weight"],
  ] as const)("sorts by %s", (sort, first) => {
    const { list, labels } = tableOf();
    list({ sort });
    expect(labels()[0]).toBe(first);
  });

  it("gives only the rows that are asked for", () => {
    const { list, rows } = tableOf();
    list({});
    expect(rows.rows(4, 100).map(({ path }) => path)).toEqual(["head.weight", "scale"]);
    expect(rows.rows(99, 120)).toEqual([]);
  });
});

describe("the filter", () => {
  const found = (filter: string): string[] => {
    const { list, labels } = tableOf();
    list({ filter });
    return labels();
  };

  it.each([
    ["WEIGHT layers", ["model.layers.10.weight", "model.layers.2.weight"]],
    ["weight -layers", ["head.weight"]],
    ["layers.*.weight", ["model.layers.10.weight", "model.layers.2.weight"]],
    ["*.norm", ["model.norm"]],
    ["in:model.layers.2", ["model.layers.2.weight", "model.layers.2.bias"]],
    ["dtype:i64", ["model.layers.2.weight", "model.norm", "scale"]],
    ["dtype:I64,F32 params:>=5", ["head.weight", "scale"]],
    ["size:>=32B", ["model.norm", "scale"]],
    ["rank:2", []],
    ["group:optimizer", []],
    ["", NAMES],
  ])("understands %j", (filter, expected) => {
    expect(found(filter)).toEqual(expected);
  });

  it.each(["size:", "size:big", "params:>", "rank:x"])("says what is wrong with %j", (filter) => {
    expect(() => found(filter)).toThrow(CheckpointConfigError);
  });
});

describe("the tree", () => {
  it("has modules with the sums of what is in them", () => {
    const { list, rows } = tableOf();
    list({ mode: "tree" });
    const [model] = rows.rows(0, 1);
    expect(model).toMatchObject({ kind: "module", label: "model", depth: 1, tensors: 4, params: 1 + 2 + 3 + 4 });
    expect(rows.rows(0, 100).find(({ label }) => label === "scale")).toMatchObject({ kind: "tensor", depth: 1 });
  });

  it("closes and opens modules, and finds the way to the module around a row", () => {
    const { list, rows, labels, index } = tableOf();
    const all = list({ mode: "tree" }).rows;
    const layers = index.find("model.layers") ?? -1;
    expect(rows.toggle(layers, false, false).rows).toBeLessThan(all);
    expect(labels()).not.toContain("10");
    rows.toggle(layers, true, true);
    const row = labels().indexOf("bias");
    const parent = rows.parentRow(row);
    expect(rows.rows(parent, parent + 1)[0]?.path).toBe("model.layers.2");
    expect(rows.parentRow(0)).toBe(-1);
  });

  it("shows only modules in which something was found, open", () => {
    const { list, rows, labels } = tableOf();
    expect(list({ mode: "tree", filter: "bias" })).toMatchObject({ tensors: 1, rows: 4 });
    expect(labels()).toEqual(["model", "layers", "2", "bias"]);
    expect(rows.rows(0, 1)[0]).toMatchObject({ tensors: 1, params: 3 });
  });

  it("opens what is around a tensor that is looked for", () => {
    const { list, rows } = tableOf(manyTensors(4096));
    list({ mode: "tree" });
    const { row, listing } = rows.reveal(4000);
    expect(row).toBeGreaterThan(0);
    expect(row).toBeLessThan(listing.rows);
    expect(rows.rows(row, row + 1)[0]).toMatchObject({ id: 4000, kind: "tensor" });
  });

  it("sorts within modules, the largest first", () => {
    const { list, labels } = tableOf();
    list({ mode: "tree", sort: "params", descending: true });
    expect(labels().slice(0, 2)).toEqual(["model", "layers"]);
    expect(labels().at(-1)).toBe("weight");
  });
});

describe("very many tensors", () => {
  it("have the same sums however they are listed", () => {
    const { list } = tableOf(manyTensors(100_000));
    const flat = list({ sort: "bytes", descending: true });
    const tree = list({ mode: "tree" });
    expect(flat).toMatchObject({ rows: 100_000, tensors: 100_000 });
    expect(tree).toMatchObject({ tensors: 100_000, params: flat.params, bytes: flat.bytes });
    expect(list({ filter: "norm.bias layers.0" }).tensors).toBe(64);
  });
});
