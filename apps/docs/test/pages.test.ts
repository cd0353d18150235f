import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { blocksOf, DOCS, pageNames, proseOf, readPage } from "../src/pages.js";

/** The anchors of a page, as GitHub makes them of headings. */
function anchorsOf(page: string): Set<string> {
  const headings = [...page.replace(/^```[\s\S]*?^```$/gm, "").matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) => title);
  const slug = (title: string): string =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replaceAll(" ", "-");
  return new Set(headings.map(slug));
}

describe.each(pageNames())("docs/%s", (name) => {
  const page = readPage(name);

  it("has one title, at its top", () => {
    const titles = [...page.replace(/^```[\s\S]*?^```$/gm, "").matchAll(/^# /gm)];
    expect(titles).toHaveLength(1);
    expect(page.startsWith("# ")).toBe(true);
  });

  it("names the language of every block", () => {
    expect(blocksOf(page).filter(({ language }) => language === "")).toEqual([]);
    expect(page.match(/^```/gm)?.length ?? 0).toBe(2 * blocksOf(page).length);
  });

  it("links to files and headings that are there", () => {
    const links = [...proseOf(page.replace(/\[`[^`]*`\]/g, "[code]")).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
    const broken = links.filter((target) => {
      if (/^https?:/.test(target)) return false;
      const [file = "", anchor] = target.split("#");
      const path = file === "" ? DOCS + name : join(dirname(DOCS + name), file);
      if (!existsSync(path)) return true;
      return anchor !== undefined && !anchorsOf(readFileSync(path, "utf8")).has(anchor);
    });
    expect(broken).toEqual([]);
  });
});
