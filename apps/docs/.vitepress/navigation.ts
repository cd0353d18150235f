import type { DefaultTheme } from "vitepress";
import { apiEntries } from "../src/api-entries.js";

/** What stands in the bar at the top. */
export const topics: DefaultTheme.NavItem[] = [
  { text: "Playground", link: "/playground" },
  { text: "Guide", link: "/quick-start" },
  { text: "Reference", link: "/reference/cli", activeMatch: "^/(reference/|configuration|limits|troubleshooting)" },
];

const guides: DefaultTheme.SidebarItem[] = [
  {
    text: "Start",
    items: [
      { text: "Quick start", link: "/quick-start" },
      { text: "Playground", link: "/playground" },
    ],
  },
  {
    text: "Look and check",
    items: [
      { text: "Inspect", link: "/inspect" },
      { text: "Scan for NaN", link: "/scan" },
      { text: "Audit a pickle", link: "/audit" },
      { text: "Compare", link: "/compare" },
      { text: "Convert", link: "/convert" },
      { text: "Repair", link: "/repair" },
      { text: "Metadata", link: "/metadata" },
    ],
  },
  {
    text: "Pipelines",
    items: [
      { text: "Pipelines", link: "/pipelines" },
      { text: "Sources", link: "/sources" },
      { text: "Your own stage", link: "/writing-a-stage" },
      { text: "Coming from Python", link: "/migration-from-python" },
    ],
  },
  {
    text: "Go deeper",
    items: [
      { text: "Security model", link: "/security" },
      { text: "Workers", link: "/workers" },
      { text: "Performance", link: "/performance" },
      { text: "Your own format", link: "/own-format" },
      { text: "Beside other tools", link: "/comparison" },
    ],
  },
];

const reference: DefaultTheme.SidebarItem[] = [
  {
    text: "Reference",
    items: [
      { text: "The ckpt command", link: "/reference/cli" },
      { text: "Configuration", link: "/configuration" },
      { text: "Templates", link: "/reference/templates" },
      { text: "Limits", link: "/limits" },
      { text: "Error codes", link: "/troubleshooting" },
      { text: "Behaviours", link: "/behaviours" },
      { text: "Changelog", link: "/reference/changelog" },
    ],
  },
  {
    text: "API",
    collapsed: true,
    link: "/reference/api/",
    items: apiEntries().map(({ specifier, page }) => ({ text: specifier.replace("@ckptkit/", ""), link: `/reference/api/${page}` })),
  },
];

/** What stands at the left of every page but the home page and the playground. */
export const sidebar: DefaultTheme.SidebarItem[] = [...guides, ...reference];
