import { defineConfig } from "vitepress";
import { slug } from "../src/slug.js";
import { writeHeaders } from "./build/headers.js";
import { writeServiceWorker } from "./build/service-worker.js";
import { sourceWorkers } from "./build/source-workers.js";
import { sidebar, topics } from "./navigation.js";

/** Where the site will stand on its host: `/`, or `/ckptkit/` on a host that serves it from a folder. */
const base = process.env.DOCS_BASE ?? "/";

/** Grounds of the two themes, for the browser's own bars. */
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
  // One file for what all pages share, not a copy in each.
  metaChunk: true,
  lastUpdated: false,
  head: [
    ["link", { rel: "icon", href: `${base}favicon.svg`, type: "image/svg+xml" }],
    ["link", { rel: "apple-touch-icon", href: `${base}icon-192.png` }],
    ["link", { rel: "manifest", href: `${base}manifest.webmanifest` }],
    ["meta", { property: "og:title", content: "ckptkit: see inside any checkpoint" }],
    ["meta", { property: "og:image", content: `${base}og.png` }],
    ["meta", { name: "theme-color", content: THEME_COLOURS.light, media: "(prefers-color-scheme: light)" }],
    ["meta", { name: "theme-color", content: THEME_COLOURS.dark, media: "(prefers-color-scheme: dark)" }],
  ],
  markdown: {
    anchor: { slugify: slug },
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
  async buildEnd({ outDir }) {
    writeHeaders(outDir, base);
    await writeServiceWorker(outDir);
  },
  vite: {
    build: {
      target: "es2022",
      // The index of the search and the largest page of the API are data, and fetched when they are asked for.
      chunkSizeWarningLimit: 2000,
      rollupOptions: {
        // zod has pure marks where Rollup does not look for them; nothing follows from it but some bytes.
        onwarn: (warning, warn) => (warning.code === "INVALID_ANNOTATION" ? undefined : warn(warning)),
      },
    },
    plugins: [sourceWorkers()],
    worker: { format: "es", plugins: () => [sourceWorkers()] },
    // Examples in pages are not part of the site's program.
    server: { fs: { allow: ["../.."] } },
  },
});
