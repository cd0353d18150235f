import type { Finding, MapNode, Tree } from "@ckptkit/core";
import { quoted } from "../quoted.js";
import type { OnnxModel, OnnxValue } from "./description.js";

/** Domains of operators that every runtime is to have. @see https://github.com/onnx/onnx/blob/main/onnx/defs/schema.h */
const OWN_DOMAINS: ReadonlySet<string> = new Set(["", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview", "ai.onnx.preview.training"]);
const DOMAINS_LISTED = 8;

/** What a model says of itself: versions, producer, properties, inputs and outputs, how often each operator occurs. */
export function modelFacts(model: OnnxModel): MapNode {
  const { facts, opsets, properties, graph, functions, operators } = model;
  const entries: [Tree, Tree][] = [...facts];
  entries.push(["opset_import", map([...opsets].map(([domain, version]): [Tree, Tree] => [domain === "" ? "ai.onnx" : domain, version]))]);
  if (properties.size > 0) entries.push(["metadata_props", map([...properties])]);
  if (graph.name !== "") entries.push(["graph", graph.name]);
  // Before version 4 of the format, initializers were inputs as well.
  const initializers = new Set(graph.initializers.map(({ name }) => name));
  entries.push(["inputs", map(graph.inputs.filter(({ name }) => !initializers.has(name)).map(described))]);
  entries.push(["outputs", map(graph.outputs.map(described))]);
  const byCount = [...operators].sort(([a, many], [b, more]) => more - many || (a < b ? -1 : 1));
  entries.push(["operators", map(byCount)]);
  if (functions.length > 0) {
    const names = functions.map(({ domain, name }) => (domain === "" ? name : `${domain}::${name}`));
    entries.push(["functions", { kind: "list", type: "list", items: names }]);
  }
  return map(entries);
}

const map = (entries: [Tree, Tree][]): MapNode => ({ kind: "map", type: "dict", entries });

/** `FLOAT [1, batch, ?]`, as people write it. */
function described({ name, type, shape }: OnnxValue): [Tree, Tree] {
  return [name, shape ? `${type} [${shape.map((size) => size ?? "?").join(", ")}]` : type];
}

/** Operators that not every runtime has. */
export function customOperators({ domains, functions }: OnnxModel): Finding[] {
  const defined = new Set(functions.map(({ domain }) => domain));
  const custom = [...domains].filter(([domain]) => !OWN_DOMAINS.has(domain) && !defined.has(domain));
  if (custom.length === 0) return [];
  const listed = custom.slice(0, DOMAINS_LISTED).map(([domain, count]) => `${quoted(domain)} (${count})`);
  const more = custom.length > listed.length ? ` and ${custom.length - listed.length} more` : "";
  const message = `Nodes use operators of other domains than ONNX's own: ${listed.join(", ")}${more}. Only runtimes that have these can run the model.`;
  return [{ rule: "onnx-custom-operators", severity: "info", message }];
}
