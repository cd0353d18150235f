import type { EChartsOption } from "echarts";
import { BarChart, HeatmapChart, LineChart, TreemapChart } from "echarts/charts";
import { GridComponent, TooltipComponent, VisualMapComponent } from "echarts/components";
import { use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

// Only what is drawn here; the whole library would be a megabyte.
use([BarChart, HeatmapChart, LineChart, TreemapChart, GridComponent, TooltipComponent, VisualMapComponent, CanvasRenderer]);

/** What a chart shows. */
export type ChartOption = EChartsOption;
