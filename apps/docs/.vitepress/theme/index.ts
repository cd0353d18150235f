import type { Theme } from "vitepress";
import DefaultTheme from "vitepress/theme-without-fonts";
import BenchCharts from "./components/BenchCharts.vue";
import DropCall from "./components/DropCall.vue";
import HomeActions from "./components/HomeActions.vue";
import HomeNumbers from "./components/HomeNumbers.vue";
import SiteLayout from "./SiteLayout.vue";
import "./style/colours.css";
import "./style/text.css";
import "./style/home.css";

export default {
  extends: DefaultTheme,
  Layout: SiteLayout,
  enhanceApp({ app }) {
    for (const [name, component] of Object.entries({ BenchCharts, DropCall, HomeActions, HomeNumbers })) app.component(name, component);
  },
} satisfies Theme;
