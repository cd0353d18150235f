import {
  Braces,
  FileOutput,
  GitCompareArrows,
  Grid3x3,
  Hash,
  LayoutDashboard,
  ScanSearch,
  ShieldCheck,
  Table2,
  Workflow,
} from "@lucide/vue";
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
  { id: "tensor", label: "One tensor", icon: Grid3x3, group: "look", component: view(() => import("./tensor/TensorView.vue")) },
  { id: "objects", label: "Objects", icon: Braces, group: "look", component: view(() => import("./object-tree/ObjectTreeView.vue")) },
  { id: "scan", label: "Scan", icon: ScanSearch, group: "check", component: view(() => import("./scan/ScanView.vue")) },
  { id: "audit", label: "Audit", icon: ShieldCheck, group: "check", component: view(() => import("./audit/AuditView.vue")) },
  { id: "hash", label: "Hash", icon: Hash, group: "check", component: view(() => import("./hash/HashView.vue")) },
  { id: "compare", label: "Compare", icon: GitCompareArrows, group: "check", component: view(() => import("./compare/CompareView.vue")) },
  { id: "convert", label: "Convert", icon: FileOutput, group: "make", component: view(() => import("./convert/ConvertView.vue")) },
  { id: "pipeline", label: "Pipeline", icon: Workflow, group: "make", component: view(() => import("./pipeline/PipelineView.vue")) },
];

function view(load: () => Promise<Component>): Component {
  return defineAsyncComponent(load);
}
