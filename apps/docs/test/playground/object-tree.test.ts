import type { MapNode, Tree } from "@ckptkit/core";
import { describe, expect, it } from "vitest";
import { ObjectRows } from "../../playground/engine/object-tree/tree-rows.js";

const map = (entries: [Tree, Tree][]): MapNode => ({ kind: "map", type: "dict", entries });
const list = (items: Tree[]): Tree => ({ kind: "list", type: "list", items });
const labels = (rows: ObjectRows): string[] => rows.rows(0, rows.count).map(({ label, depth }) => `${" ".repeat(depth)}${label}`);

describe("The object tree of the playground", () => {
  const adam = map([
    ["lr", 0.1],
    ["betas", list([0.9, 0.999])],
  ]);

  it("shows small parts of the root open, and large ones closed", () => {
    const large = map(Array.from({ length: 50 }, (_, index): [Tree, Tree] => [`w${index}`, map([["step", index]])]));
    const rows = new ObjectRows(
      map([
        ["epoch", 3],
        ["optimizer", adam],
        ["state", large],
      ]),
    );
    expect(labels(rows)).toEqual(["epoch", "optimizer", " lr", " betas", "state"]);
    expect(rows.rows(4, 5)[0]).toMatchObject({ text: "dict of 50", kind: "node", open: false });
  });

  it("opens and closes a line, and what was open within stays so", () => {
    const rows = new ObjectRows(map([["optimizer", adam]]));
    rows.toggle(2, true);
    expect(labels(rows)).toEqual(["optimizer", " lr", " betas", "  0", "  1"]);
    rows.toggle(0, false);
    expect(labels(rows)).toEqual(["optimizer"]);
    rows.toggle(0, true);
    expect(labels(rows)).toEqual(["optimizer", " lr", " betas", "  0", "  1"]);
  });

  it("opens a node that holds itself one step at a time, and says that it is within itself", () => {
    const self = map([]);
    self.entries.push(["self", self], ["name", "a"]);
    const rows = new ObjectRows(map([["graph", self]]));
    expect(labels(rows)).toEqual(["graph", " self", " name"]);
    expect(rows.rows(1, 2)[0]?.isCycle).toBe(true);
    rows.toggle(1, true);
    expect(labels(rows)).toEqual(["graph", " self", "  self", "  name", " name"]);
  });

  it("finds keys, values and types, shared and cyclic nodes once, and reveals them where they stand", () => {
    const shared = map([["dropout", 0.25]]);
    const model: Tree = { kind: "object", type: "argparse.Namespace", attributes: map([["hidden", shared]]) };
    const graph = map([
      ["first", map([["config", shared]])],
      ["model", model],
    ]);
    graph.entries.push(["root", graph]);
    const rows = new ObjectRows(graph);
    expect(rows.search("DROPOUT").rows.map(({ path }) => path)).toEqual(["first › config › dropout"]);
    expect(rows.search("0.25").rows).toHaveLength(1);
    const found = rows.search("namespace").rows[0];
    expect(found?.path).toBe("model");
    const row = rows.reveal([0, 0, 0]);
    expect(rows.rows(row, row + 1)[0]).toMatchObject({ label: "dropout", text: "0.25", depth: 2 });
  });

  it("says that more was found than is listed", () => {
    const many = map(Array.from({ length: 700 }, (_, index): [Tree, Tree] => [`layer.${index}`, index]));
    const { rows, isCut } = new ObjectRows(map([["state", many]])).search("layer");
    expect(rows).toHaveLength(500);
    expect(isCut).toBe(true);
  });

  it("opens a map of half a million values without a line for each of the others being made again", () => {
    const many = map(Array.from({ length: 500_000 }, (_, index): [Tree, Tree] => [`w${index}`, index]));
    const rows = new ObjectRows(map([["state", many]]));
    rows.toggle(0, true);
    expect(rows.count).toBe(500_001);
    expect(rows.rows(499_999, 500_001).map(({ text }) => text)).toEqual(["499998", "499999"]);
  });
});
