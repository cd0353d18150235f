import type { DefaultTheme } from "vitepress";

/** What stands in the bar at the top. */
export const topics: DefaultTheme.NavItem[] = [
  { text: "Guide", link: "/quick-start", activeMatch: "^/(quick-start|inspect|scan)" },
  { text: "Playground", link: "/playground" },
];

/** What stands at the left of every page but the home page and the playground. */
export const sidebar: DefaultTheme.SidebarItem[] = [];
