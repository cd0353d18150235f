// What each entry of the packages exports, written down from the built declarations: one block a name, without comments.
import { existsSync } from "node:fs";
import ts from "typescript";
import { ROOT } from "../root.mjs";
import { StepFailed } from "../steps.mjs";
import { entries } from "./entries.mjs";

const OPTIONS = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  strict: true,
  skipLibCheck: true,
  noEmit: true,
  types: ["node"],
};
const printer = ts.createPrinter({ removeComments: true, newLine: ts.NewLineKind.LineFeed });

/** One `{ file, package, text }` an entry; `file` is relative to the root. */
export function apiReports() {
  const all = entries();
  const missing = all.filter(({ declarations }) => !existsSync(declarations));
  if (missing.length > 0) throw new StepFailed(`${missing[0].declarations} is not there. \`pnpm build\` makes it.`);
  // Our packages find each other's built declarations, as they do when they are installed; in this repository they would find sources.
  const paths = Object.fromEntries(all.map(({ path, declarations }) => [path, [declarations]]));
  const program = ts.createProgram(
    all.map(({ declarations }) => declarations),
    { ...OPTIONS, baseUrl: ROOT, paths, ignoreDeprecations: "6.0" },
  );
  const checker = program.getTypeChecker();
  const exported = new Map(all.map((entry) => [entry.path, exportsOf(checker, program.getSourceFile(entry.declarations))]));
  const home = homesOf(all, exported);
  return all.map((entry) => ({
    file: entry.report,
    package: entry.package,
    text: reportOf(checker, entry, exported.get(entry.path), home),
  }));
}

/** Exported names with what they stand for, in the order of the alphabet. */
function exportsOf(checker, file) {
  const symbols = checker.getExportsOfModule(checker.getSymbolAtLocation(file));
  const resolved = symbols.map((symbol) => [symbol.name, symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol]);
  return new Map(resolved.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Where each thing is written down: the shortest path of its own package, else the shortest of those that pass it on. */
function homesOf(all, exported) {
  const home = new Map();
  const own = ({ declarations }, symbol) =>
    symbol.declarations?.[0]?.getSourceFile().fileName.startsWith(`${packageFolder(declarations)}/`);
  const short = [...all].sort((a, b) => a.path.length - b.path.length || (a.path < b.path ? -1 : 1));
  for (const isHome of [own, () => true]) {
    for (const entry of short) {
      for (const symbol of exported.get(entry.path).values()) if (!home.has(symbol) && isHome(entry, symbol)) home.set(symbol, entry.path);
    }
  }
  return home;
}

const packageFolder = (declarations) => declarations.replaceAll("\\", "/").replace(/\/dist\/.*$/, "");

function reportOf(checker, { path, namesOnly }, exported, home) {
  const blocks = [];
  const own = new Set(exported.values());
  const inner = new Map();
  const write = (name, symbol, target) => {
    if (namesOnly) return target.push(`// ${name}`);
    if (target === blocks && home.get(symbol) !== path) return target.push(`// ${name}: from "${home.get(symbol)}"`);
    for (const text of textsOf(symbol)) target.push(text);
    for (const used of usedBy(checker, symbol)) if (!own.has(used) && !home.has(used) && isOurs(used)) inner.set(used, used.name);
  };
  for (const [name, symbol] of exported) write(name, symbol, blocks);
  const hidden = [];
  const seen = new Set();
  for (let next = pick(inner, seen); next; next = pick(inner, seen)) {
    seen.add(next);
    const texts = [];
    write(next.name, next, texts);
    hidden.push([next.name, texts.join("\n")]);
  }
  const sorted = hidden.sort(([a, x], [b, y]) => (a === b ? (x < y ? -1 : 1) : a < b ? -1 : 1)).map(([, text]) => text);
  return [
    `# ${path}`,
    "",
    "Made by `pnpm api` from the built declarations: what a user may import, and what changes for them when it does.",
    "",
    "```ts",
    blocks.join("\n\n"),
    "```",
    ...(sorted.length > 0 ? ["", "Not exported, but part of the above:", "", "```ts", sorted.join("\n\n"), "```"] : []),
    "",
  ].join("\n");
}

const pick = (inner, seen) => [...inner.keys()].find((symbol) => !seen.has(symbol));
const isOurs = (symbol) =>
  (symbol.declarations ?? []).some((node) => ts.isStatement(node) && !node.getSourceFile().fileName.includes("/node_modules/"));

function textsOf(symbol) {
  const deprecated = symbol.getJsDocTags().some(({ name }) => name === "deprecated") ? "// @deprecated\n" : "";
  return (symbol.declarations ?? []).map((node) => {
    const statement = ts.isVariableDeclaration(node) ? node.parent.parent : node;
    return deprecated + printer.printNode(ts.EmitHint.Unspecified, withoutPrivate(statement), node.getSourceFile());
  });
}

/** A class without what only itself may use. */
function withoutPrivate(node) {
  if (!ts.isClassDeclaration(node)) return node;
  const visible = node.members.filter(
    (member) =>
      !(member.name && ts.isPrivateIdentifier(member.name)) &&
      !(ts.canHaveModifiers(member) && ts.getModifiers(member)?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword)),
  );
  return ts.factory.updateClassDeclaration(node, node.modifiers, node.name, node.typeParameters, node.heritageClauses, visible);
}

/** What a declaration names. */
function usedBy(checker, symbol) {
  const found = new Set();
  const visit = (node) => {
    if (ts.isIdentifier(node)) {
      const named = checker.getSymbolAtLocation(node);
      if (named) found.add(named.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(named) : named);
    }
    ts.forEachChild(node, visit);
  };
  for (const node of symbol.declarations ?? []) visit(ts.isClassDeclaration(node) ? withoutPrivate(node) : node);
  found.delete(symbol);
  return found;
}
