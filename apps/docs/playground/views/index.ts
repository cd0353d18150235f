import { LayoutDashboard, Table2 } from "@lucide/vue";
import { type Component, defineAsyncComponent, type FunctionalComponent } from "vue";

/** One view of an open checkpoint. Its component takes `session` (a SessionInfo). */
export interface View {
  readonly id: string;
  readonly label: string;
  readonly icon: FunctionalComponent;
  /** Views of one group stand together. */
  readonly group: "look" | "check" | "make";
  readonly component: Component;
}

/** The views, in their order. Each is loaded when it is first shown. */
export const VIEWS: readonly View[] = [
  { id: "overview", label: "Overview", icon: LayoutDashboard, group: "look", component: view(() => import("./overview/OverviewView.vue")) },
  { id: "tensors", label: "Tensors", icon: Table2, group: "look", component: view(() => import("./tensors/TensorsView.vue")) },
];

function view(load: () => Promise<Component>): Component {
  return defineAsyncComponent(load);
}
