import { defineConfig } from "vitepress";
import { sidebar, topics } from "./navigation.js";

/** Where the site will stand on its host: `/`, or `/ckptkit/` on a host that serves it from a folder. */
const base = process.env.DOCS_BASE ?? "/";

/** Runs before the first paint, so that the page never flashes in the other theme: VitePress's own script does, this names the colours. */
const THEME_COLOURS = { light: "#ffffff", dark: "#0f1416" } as const;

export default defineConfig({
  title: "ckptkit",
  titleTemplate: ":title · ckptkit",
  description:
    "Open, check and convert machine-learning checkpoints in a browser tab or in Node. No Python, no upload, and no pickle is ever executed.",
  lang: "en",
  base,
  srcDir: "pages",
  outDir: "dist",
  cacheDir: ".vitepress/cache",
  // Addresses with .html work on every host of static files, without a rule for them.
  cleanUrls: false,
  ignoreDeadLinks: true,
  lastUpdated: false,
  head: [
    ["link", { rel: "icon", href: `${base}favicon.svg`, type: "image/svg+xml" }],
    ["meta", { name: "theme-color", content: THEME_COLOURS.light, media: "(prefers-color-scheme: light)" }],
    ["meta", { name: "theme-color", content: THEME_COLOURS.dark, media: "(prefers-color-scheme: dark)" }],
  ],
  markdown: {
    // Marks behind a block's language (`run`, `output`) are for the tests; Shiki must not see them as line highlights.
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
  },
  themeConfig: {
    siteTitle: "ckptkit",
    nav: topics,
    sidebar,
    outline: { level: [2, 3] },
    search: { provider: "local" },
    docFooter: { prev: "Before", next: "Next" },
  },
  vite: {
    build: { target: "es2022", chunkSizeWarningLimit: 700 },
    worker: { format: "es" },
    // Examples in pages are not part of the site's program.
    server: { fs: { allow: ["../.."] } },
  },
});
