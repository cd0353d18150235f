import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { blocksOf, DOCS, pageNames, proseOf, readPage } from "../src/pages.js";
import { slug } from "../src/slug.js";

/** The anchors of a page and of what it includes. */
function anchorsOf(file: string): Set<string> {
  const page = readFileSync(file, "utf8").replace(/<!--@include: ([^{\s]+)\S*-->/g, (_, included: string) =>
    readFileSync(join(dirname(file), included), "utf8"),
  );
  const headings = [...page.replace(/^```[\s\S]*?^```$/gm, "").matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) => title);
  return new Set(headings.map(slug));
}

describe.each(pageNames())("docs/%s", (name) => {
  const page = readPage(name);

  it("has one title, and begins with it", () => {
    const words = page.replace(/^---\n[\s\S]*?\n---\n/, "").replace(/^```[\s\S]*?^```$/gm, "");
    expect([...words.matchAll(/^# /gm)]).toHaveLength(1);
    // The home page and the playground put their title into boxes of their own.
    expect(/^layout: page$/m.test(page) || words.trimStart().startsWith("# ")).toBe(true);
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
      return anchor !== undefined && !anchorsOf(path).has(anchor);
    });
    expect(broken).toEqual([]);
  });
});
