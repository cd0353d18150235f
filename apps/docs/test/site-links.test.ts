import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path/posix";
import { describe, expect, it } from "vitest";
import { ROOT } from "../src/pages.js";

const SITE = `${ROOT}apps/docs/dist/`;
if (!existsSync(`${SITE}index.html`)) throw new Error("The site is not built. Build it first: pnpm --filter @ckptkit/docs build");

const pages = readdirSync(SITE, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".html"));
const texts = new Map(pages.map((page) => [page, readFileSync(SITE + page, "utf8")]));
const idsOf = new Map([...texts].map(([page, text]) => [page, new Set([...text.matchAll(/\sid="([^"]+)"/g)].map(([, id = ""]) => id))]));

describe("the built site", () => {
  it("links to pages, files and headings that are there", () => {
    const broken = [...texts].flatMap(([page, text]) =>
      [...text.matchAll(/<a [^>]*href="([^"]+)"/g)]
        .map(([, href = ""]) => href.replaceAll("&amp;", "&"))
        .filter((href) => isBroken(page, href))
        .map((href) => `${page}: ${href}`),
    );
    expect([...new Set(broken)]).toEqual([]);
    expect(texts.size).toBeGreaterThan(30);
  });

  it("has one title on every page", () => {
    const without = [...texts]
      .filter(([page, text]) => page !== "404.html" && page !== "playground.html" && text.match(/<h1/g)?.length !== 1)
      .map(([page]) => page);
    expect(without).toEqual([]);
  });
});

function isBroken(page: string, href: string): boolean {
  if (/^[a-z]+:/.test(href)) return false;
  const [path = "", anchor = ""] = href.split("#");
  const target = path === "" ? page : path.startsWith("/") ? path.slice(1) : join(dirname(page), path);
  const file = target === "" || target.endsWith("/") ? `${target}index.html` : target;
  if (!existsSync(SITE + file)) return true;
  return anchor !== "" && idsOf.has(file) && !idsOf.get(file)?.has(decodeURIComponent(anchor));
}
