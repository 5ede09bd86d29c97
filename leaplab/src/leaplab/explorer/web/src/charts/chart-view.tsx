/** Which component draws which kind of chart. */

import type { ComponentType } from "preact";
import type { Chart } from "../api/charts";
import { BarChart } from "./bar-chart";
import { BoxChart } from "./box-chart";
import { ConfusionChart, CorrelationChart, HeatmapChart } from "./cells-chart";
import { CurveChart } from "./curve-chart";
import type { ChartProps } from "./figure";
import { CalibrationChart, LineChart } from "./line-chart";
import { GroupMeansChart, ScatterChart } from "./scatter-chart";

const DRAWN: Record<string, ComponentType<ChartProps>> = {
  bar: BarChart,
  line: LineChart,
  scatter: ScatterChart,
  histogram: BarChart,
  box: BoxChart,
  heatmap: HeatmapChart,
  "group-means": GroupMeansChart,
  correlation: CorrelationChart,
  confusion: ConfusionChart,
  roc: CurveChart,
  "precision-recall": CurveChart,
  calibration: CalibrationChart,
  curves: CurveChart,
};

/** Whether there is anything to draw. */
export function isEmpty(chart: Chart): boolean {
  const points = chart.points?.rows.length ?? 0;
  return !points && !chart.curves.length && !chart.groups.some(({ value, count }) => value !== null && count > 0);
}

export function ChartView(props: ChartProps) {
  const Drawn = DRAWN[props.chart.kind];
  return Drawn ? <Drawn {...props} /> : null;
}
