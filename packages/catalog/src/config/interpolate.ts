import { CheckpointConfigError } from "@ckptkit/core";
import { type ConfigIssue, showIssue } from "./issues.js";
import { type ConfigNode, type ConfigPath, showPath } from "./node.js";
import { typedText } from "./scalar-text.js";

/** `$${` is a literal `${`; then `${NAME}` or `${NAME:-what stands in when it is not set or empty}`; then what is neither. */
const VARIABLE = /\$\$\{|\$\{(?:([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?)?([^}]*)\}?/g;
const WHOLE = /^\$\{[^}]*\}$/;

/**
 * Puts environment variables into the strings of a configuration. A variable that is the whole of a value may be the text of a
 * number or truth value.
 *
 * @param lookUp gives a variable's value.
 * @throws {CheckpointConfigError} CONFIG_VARIABLE naming every variable that is missing and its place; never a value
 */
export function interpolate(root: ConfigNode, lookUp: (name: string) => string | undefined): ConfigNode {
  const issues: (ConfigIssue & { variable: string })[] = [];
  const node = interpolateNode(root, [], (name, fallback, rest, path, { place }) => {
    const isName = name !== undefined && rest === "";
    const value = isName ? lookUp(name) : undefined;
    const found = value === "" || value === undefined ? (fallback ?? value) : value;
    if (isName && found !== undefined) return found;
    const message = isName
      ? `the environment variable ${name} is not set`
      : "the name of an environment variable was expected between the braces";
    issues.push({ ...place, path: showPath(path), message, variable: isName ? name : "" });
    return "";
  });
  if (issues.length === 0) return node;
  const [first] = issues.filter(({ variable }) => variable !== "");
  throw new CheckpointConfigError("CONFIG_VARIABLE", `Environment variables are missing:\n${issues.map(showIssue).join("\n")}`, {
    details: { issues, variables: [...new Set(issues.map(({ variable }) => variable))].filter(Boolean) },
    suggestions: [
      ...(first ? [`Set ${first.variable}, or give a default: \${${first.variable}:-...}.`] : []),
      ...(issues.some(({ variable }) => variable === "") ? ["Write $${ where ${ itself is meant."] : []),
    ],
  });
}

type Resolve = (name: string | undefined, fallback: string | undefined, rest: string, path: ConfigPath, node: ConfigNode) => string;

function interpolateNode(node: ConfigNode, path: ConfigPath, resolve: Resolve): ConfigNode {
  if (node.kind === "map") {
    return { ...node, entries: new Map([...node.entries].map(([key, entry]) => [key, interpolateNode(entry, [...path, key], resolve)])) };
  }
  if (node.kind === "list") return { ...node, items: node.items.map((item, index) => interpolateNode(item, [...path, index], resolve)) };
  if (node.kind !== "scalar" || typeof node.value !== "string" || !node.value.includes("${")) return node;
  const { value: text } = node;
  const value = text.replace(VARIABLE, (match, name: string | undefined, fallback: string | undefined, rest: string | undefined) =>
    match === "$${" ? "${" : resolve(name, fallback, (rest ?? "") + (match.endsWith("}") ? "" : "?"), path, node),
  );
  return { ...node, value, ...(WHOLE.test(text) && { alternative: typedText(value) }) };
}
