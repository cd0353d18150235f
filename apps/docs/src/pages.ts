import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Folder of the pages, with a slash at its end. */
export const DOCS = fileURLToPath(new URL("../pages/", import.meta.url));

/** Root of the repository, with a slash at its end. */
export const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** Names of all pages. */
export const pageNames = (): string[] => readdirSync(DOCS).filter((name) => name.endsWith(".md"));

export const readPage = (name: string): string => readFileSync(DOCS + name, "utf8");

/** One fenced block of a page. */
export interface Block {
  /** `ts`, `yaml`, `sh`, `text` ... */
  readonly language: string;
  /** What stands behind the language: `run`, `output`. */
  readonly marks: readonly string[];
  readonly code: string;
  /** Counted from 1. */
  readonly line: number;
}

/** The fenced blocks of a page, in order. */
export function blocksOf(page: string): Block[] {
  return [...page.matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)].map((match) => {
    const [language = "", ...marks] = (match[1] ?? "").trim().split(/\s+/);
    return { language, marks, code: match[2] ?? "", line: page.slice(0, match.index).split("\n").length };
  });
}

/** A page without its fenced blocks and code spans: what is prose. */
export const proseOf = (page: string): string => page.replace(/^```[\s\S]*?^```$/gm, "").replace(/`[^`\n]*`/g, "`code`");

/** The rows of every table of a page, as lists of cells. Header rows and rules are left out. */
export function tableRows(page: string): string[][] {
  const lines = page.replace(/^```[\s\S]*?^```$/gm, "").split("\n");
  const isRow = (line: string | undefined): boolean => line?.startsWith("|") ?? false;
  return lines
    .filter((line, index) => isRow(line) && !/^\|[\s|:-]+\|$/.test(line) && !/^\|[\s|:-]+\|$/.test(lines[index + 1] ?? ""))
    .map((line) =>
      line
        .replace(/^\||\|$/g, "")
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim().replaceAll("\\|", "|")),
    );
}
