import { readdirSync, readFileSync } from "node:fs";
import { ROOT } from "./pages.js";
import { slug } from "./slug.js";

const FOLDER = `${ROOT}packages/catalog/templates/`;

/** A ready-made pipeline. */
interface Template {
  readonly file: string;
  /** Of its section on the page of templates. */
  readonly anchor: string;
  /** The first sentence of the comment at its top. */
  readonly summary: string;
  readonly text: string;
}

/** Every template, by name. */
export const TEMPLATES: readonly Template[] = readdirSync(FOLDER)
  .sort()
  .map((file) => {
    const text = readFileSync(FOLDER + file, "utf8");
    const comment = /^(?:#.*\n)+/.exec(text)?.[0] ?? "";
    const words = (comment.split(/^#\s*$/m)[0] ?? "").replace(/^# ?/gm, "").replaceAll("\n", " ").trim();
    return { file, anchor: slug(file), summary: /^.*?[.?](?= |$)/.exec(words)?.[0] ?? words, text };
  });

/** The page that shows every template whole. */
export const templatesPage = (): string =>
  [
    "# Templates",
    "Pipelines for common jobs, to copy and change. What each needs from the environment stands in its first lines.",
    ...TEMPLATES.map(({ file, summary, text }) => `## ${file}\n\n${summary}\n\n\`\`\`yaml\n${text.trimEnd()}\n\`\`\``),
  ].join("\n\n");
