import { readFile } from "node:fs/promises";
import { build, type Plugin } from "esbuild";
import ts from "typescript";
import { COUNTERS } from "./coverage.js";
import { inRepository } from "./repository.js";

/** Sources whose branches are counted. The kernels are loops over bytes: counting would only slow them down. */
const COUNTED = /[\\/]packages[\\/](?:core|pickle|formats|inspect)[\\/]src[\\/].*\.ts$/;

/** Constructors that allocate as many elements as their one argument says, and bytes of each. */
const ALLOCATES: Readonly<Record<string, number>> = {
  ArrayBuffer: 1,
  Uint8Array: 1,
  Int8Array: 1,
  Uint16Array: 2,
  Int16Array: 2,
  Uint32Array: 4,
  Int32Array: 4,
  Float32Array: 4,
  Float64Array: 8,
  BigInt64Array: 8,
  BigUint64Array: 8,
  Array: 8,
};
const REPEATS = new Set(["repeat", "padStart", "padEnd"]);

/** Bundles a program with a counter at every branch of the sources, and a check at every allocation. */
export async function bundleInstrumented(entry: string, outfile: string): Promise<void> {
  let next = 0;
  const transform = instrumenter(() => next++ % COUNTERS);
  const plugin: Plugin = {
    name: "count-branches",
    setup({ onLoad }) {
      onLoad({ filter: COUNTED }, async ({ path }) => {
        const { outputText } = ts.transpileModule(await readFile(path, "utf8"), {
          fileName: path,
          compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
          transformers: { before: [transform] },
        });
        return { contents: outputText, loader: "js" };
      });
    },
  };
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    plugins: [plugin],
    external: ["vitest"],
    // In one file, esbuild forgets to start modules that are imported both late and through `export *` of a package without side effects.
    ignoreAnnotations: true,
    // Top-level declarations of the probe: coverage.ts fills it before anything else of the bundle runs.
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url); const __hit = (id) => { const counters = globalThis.ckptkitProbe?.counters; if (counters && counters[id] < 255) counters[id]++; }; const __alloc = (count, unit) => globalThis.ckptkitProbe ? globalThis.ckptkitProbe.alloc(count, unit) : count;',
    },
    absWorkingDir: inRepository(""),
  });
}

/** A transformer of TypeScript that puts `__hit(n)` at branches and `__alloc(...)` around sizes. */
function instrumenter(id: () => number): ts.TransformerFactory<ts.SourceFile> {
  const { factory } = ts;
  const call = (name: string, args: ts.Expression[]): ts.Expression =>
    factory.createCallExpression(factory.createIdentifier(name), undefined, args);
  const hit = (): ts.Expression => call("__hit", [factory.createNumericLiteral(id())]);
  const hitStatement = (): ts.Statement => factory.createExpressionStatement(hit());
  const hitThen = (expression: ts.Expression): ts.Expression =>
    factory.createParenthesizedExpression(factory.createComma(hit(), expression));
  const sized = (size: ts.Expression, unit: number): ts.Expression => call("__alloc", [size, factory.createNumericLiteral(unit)]);

  return (context) => {
    const visit = (node: ts.Node): ts.Node => {
      const seen = ts.visitEachChild(node, visit, context);
      if (ts.isBlock(seen)) return factory.updateBlock(seen, withHit(seen.statements));
      if (ts.isCaseClause(seen)) return factory.updateCaseClause(seen, seen.expression, withHit(seen.statements));
      if (ts.isDefaultClause(seen)) return factory.updateDefaultClause(seen, withHit(seen.statements));
      if (ts.isIfStatement(seen)) {
        return factory.updateIfStatement(
          seen,
          seen.expression,
          branch(seen.thenStatement),
          seen.elseStatement && branch(seen.elseStatement),
        );
      }
      if (ts.isConditionalExpression(seen)) {
        const { condition, questionToken, whenTrue, colonToken, whenFalse } = seen;
        return factory.updateConditionalExpression(seen, condition, questionToken, hitThen(whenTrue), colonToken, hitThen(whenFalse));
      }
      if (ts.isBinaryExpression(seen) && isShortCircuit(seen.operatorToken.kind)) {
        return factory.updateBinaryExpression(seen, seen.left, seen.operatorToken, hitThen(seen.right));
      }
      if (ts.isNewExpression(seen) && ts.isIdentifier(seen.expression) && seen.arguments?.length === 1) {
        const unit = ALLOCATES[seen.expression.text];
        const [size] = seen.arguments;
        if (unit !== undefined && size) return factory.updateNewExpression(seen, seen.expression, seen.typeArguments, [sized(size, unit)]);
      }
      return ts.isCallExpression(seen) ? sizedCall(seen) : seen;
    };

    /** `text.repeat(n)`, `text.padStart(n)`, `Array.from({ length: n })`. */
    const sizedCall = (seen: ts.CallExpression): ts.Expression => {
      if (!ts.isPropertyAccessExpression(seen.expression)) return seen;
      const [first, ...rest] = seen.arguments;
      if (first && REPEATS.has(seen.expression.name.text)) {
        return factory.updateCallExpression(seen, seen.expression, seen.typeArguments, [sized(first, 1), ...rest]);
      }
      if (first && seen.expression.name.text === "from" && ts.isObjectLiteralExpression(first)) {
        const properties = first.properties.map((property) =>
          ts.isPropertyAssignment(property) && ts.isIdentifier(property.name) && property.name.text === "length"
            ? factory.updatePropertyAssignment(property, property.name, sized(property.initializer, 8))
            : property,
        );
        return factory.updateCallExpression(seen, seen.expression, seen.typeArguments, [
          factory.updateObjectLiteralExpression(first, properties),
          ...rest,
        ]);
      }
      return seen;
    };
    const withHit = (statements: readonly ts.Statement[]): ts.Statement[] => [hitStatement(), ...statements];
    /** A branch without braces gets them; a block has its counter already. */
    const branch = (statement: ts.Statement): ts.Statement =>
      ts.isBlock(statement) || ts.isIfStatement(statement) ? statement : factory.createBlock(withHit([statement]));
    // The node that is visited is the file, and stays one.
    return (file) => ts.visitNode(file, visit) as ts.SourceFile;
  };
}

const isShortCircuit = (kind: ts.SyntaxKind): boolean =>
  kind === ts.SyntaxKind.AmpersandAmpersandToken || kind === ts.SyntaxKind.BarBarToken || kind === ts.SyntaxKind.QuestionQuestionToken;
