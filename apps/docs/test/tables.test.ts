import { readdirSync, readFileSync } from "node:fs";
import { ERROR_CODES } from "@ckptkit/core";
import { describe, expect, it } from "vitest";
import { ROOT, readPage } from "../src/pages.js";
import { PAGES_WITH_TABLES, withTables } from "../src/tables.js";

/** Words in a row that a message on the page and one in the code must share. */
const WORDS = 3;

describe("tables made from the code", () => {
  it.each(PAGES_WITH_TABLES)("are up to date in docs/%s (else: pnpm --filter @ckptkit/docs tables)", async (name) => {
    const page = readPage(name);
    expect(page).toContain("<!-- table: ");
    expect((await withTables(page)) === page, "the tables of the page are those that the code gives").toBe(true);
  });
});

describe("docs/troubleshooting.md", () => {
  const page = readPage("troubleshooting.md");
  const sections = new Map(
    page
      .split(/^### /m)
      .slice(1)
      .map((text) => [text.slice(0, text.indexOf("\n")).trim(), text] as const),
  );

  it("has a section for every error code, and for no other", () => {
    expect([...sections.keys()].sort()).toEqual(Object.keys(ERROR_CODES).sort());
  });

  it.each(Object.keys(ERROR_CODES))("tells of %s what it says and what to do", (code) => {
    const section = sections.get(code) ?? "";
    expect(section).toMatch(/^```text\n[\s\S]+?^```$/m);
    expect(section).toMatch(/^What to do: \S/m);
  });

  it("shows messages that the code has the words of", () => {
    const sources = ["wasm/src", ...readdirSync(`${ROOT}packages`).map((name) => `packages/${name}/src`)]
      .flatMap((folder) => readdirSync(ROOT + folder, { recursive: true }).map((file) => `${ROOT}${folder}/${file}`))
      .filter((file) => file.endsWith(".ts") && !file.endsWith("error-codes.ts"))
      .map((file) => readFileSync(file, "utf8"))
      .join("\n");
    const strange = [...sections].filter(([, section]) => {
      const words = (/^```text\n([\s\S]+?)^```$/m.exec(section)?.[1] ?? "").trim().split(/\s+/);
      return !words.some((_, at) => words.length - at >= WORDS && sources.includes(words.slice(at, at + WORDS).join(" ")));
    });
    expect(strange.map(([code]) => code).filter((code) => code !== "STAGE_FAILED")).toEqual([]); // its words are the stage's
  });
});
