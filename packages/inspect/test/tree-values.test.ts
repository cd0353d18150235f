import { getEntry, isNode, type ObjectNode } from "@ckptkit/core";
import { expect, it } from "vitest";
import { treeHead, treeParts, treeText } from "../src/index.js";
import { openFixture } from "./opened.js";

const { tree } = await openFixture("python-values-5.pt");
const value = (group: string, name: string) => getEntry(getEntry(tree, group), name) ?? null;

it.each([
  ["dates", "aware", 'datetime.datetime("2024-02-29T00:00:00+00:00")'],
  ["dates", "delta", 'datetime.timedelta("1 day, 0:00:02")'],
  ["exact", "uuid", 'uuid.UUID("12345678-0000-5678-9234-567812345678")'],
  ["exact", "decimal", 'decimal.Decimal("1.10")'],
  ["paths", "windows", 'pathlib.PureWindowsPath("C:\\\\models\\\\last.ckpt")'],
  ["torch", "device", 'torch.device("cuda:1")'],
  ["numpy", "day", 'numpy._core.multiarray.scalar("2024-02-29")'],
])("is one line that says what it is: %s %s", (group, name, text) => {
  expect(treeText(value(group, name))).toBe(text);
});

it("shows a configuration of omegaconf by what it holds", () => {
  const config = getEntry(tree, "omegaconf");
  if (!isNode(config)) throw new Error("no configuration");
  expect(treeHead(config)).toMatch(/^omegaconf\.dictconfig\.DictConfig of \d+$/);
  const parts = new Map(treeParts(config).map(({ label, value: part }) => [label, part]));
  expect(treeText(parts.get("ratio") ?? null)).toBe("0.5");
  expect(treeParts(parts.get("model") ?? null).map(({ label }) => label)).toEqual(["width", "depth", "name", "layers", "missing"]);
  expect(treeText(parts.get("path") ?? null)).toBe('pathlib.PosixPath("/data/train")');
});

it("does not run in circles where a configuration holds itself", () => {
  const node: ObjectNode = { kind: "object", type: "omegaconf.dictconfig.DictConfig" };
  node.attributes = { kind: "map", type: "dict", entries: [["_content", node]] };
  expect(treeText(node)).toBeUndefined();
  expect(treeHead(node)).toBe("omegaconf.dictconfig.DictConfig");
  expect(treeParts(node).map(({ label }) => label)).toEqual(["_content"]);
});
