import { relative } from "node:path";
import { Application, Converter, type DeclarationReflection, ReflectionKind } from "typedoc";
import { apiEntries } from "./api-entries.js";
import { markdownTable } from "./markdown-table.js";
import { ROOT } from "./pages.js";

/** Writes the API reference, one page an entry of a package, into a folder. */
export async function writeApiPages(out: string): Promise<void> {
  const entries = apiEntries();
  const app = await Application.bootstrapWithPlugins({
    entryPoints: entries.map(({ file }) => file),
    tsconfig: `${ROOT}tsconfig.json`,
    plugin: ["typedoc-plugin-markdown"],
    out,
    router: "module",
    readme: "none",
    // The types are checked elsewhere, and sources have no address of their own.
    skipErrorChecking: true,
    disableSources: true,
    excludeInternal: true,
    excludePrivate: true,
    logLevel: "Error",
    ...MARKDOWN,
  });
  const pages = new Map(entries.map(({ file, page }) => [relative(ROOT, file), page]));
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (_: unknown, reflection: DeclarationReflection) => {
    if (reflection.kind !== ReflectionKind.Module) return;
    const file = reflection.project.files.getReflectionPath(reflection);
    reflection.name = (file && pages.get(relative(ROOT, file))) ?? reflection.name;
  });
  const project = await app.convert();
  if (!project) throw new Error("typedoc could not read the packages");
  await app.generateOutputs(project);
}

/** Options of the Markdown plug-in, of which typedoc's own types know nothing. */
const MARKDOWN: object = {
  entryFileName: "index",
  hidePageHeader: true,
  hideBreadcrumbs: true,
  hideGroupHeadings: false,
  sanitizeComments: true,
  useCodeBlocks: false,
  useHTMLEncodedBrackets: true,
  expandParameters: false,
  parametersFormat: "table",
  interfacePropertiesFormat: "table",
  propertyMembersFormat: "table",
  typeDeclarationFormat: "table",
  indexFormat: "table",
  pageTitleTemplates: {
    module: ({ name }: { name: string }) => apiEntries().find(({ page }) => page === name)?.specifier ?? name,
  },
};

/** The page that leads to the others. */
export const apiIndex = (): string =>
  [
    "# API reference",
    "Made from the code. What every package is for stands in the [overview](../../quick-start.md#packages).",
    markdownTable(
      ["Import from", ""],
      apiEntries().map(({ specifier, page }) => [`[\`${specifier}\`](./${page}.md)`, ""]),
    ),
  ].join("\n\n");
