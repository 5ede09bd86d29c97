/** A chart's numbers as a table, for those who would rather read them. */

import type { Chart, Group } from "../api/charts";
import { formatValue } from "../ui/format";

const FIELDS = [
  "name",
  "series",
  "x",
  "x_low",
  "x_high",
  "y",
  "y_low",
  "y_high",
  "count",
  "value",
  "low",
  "high",
] as const;
const HEADS: Record<(typeof FIELDS)[number], string> = {
  name: "Name",
  series: "Series",
  x: "x",
  x_low: "x from",
  x_high: "x to",
  y: "y",
  y_low: "y from",
  y_high: "y to",
  count: "Count",
  value: "Value",
  low: "Low",
  high: "High",
};
/** Rows that are shown; the file has all. */
const MOST = 200;

export interface Rows {
  heads: string[];
  rows: unknown[][];
}

/** The rows as `Chart.table` has them. */
export function rowsOf(chart: Chart): Rows {
  const { points, curves, series } = chart;
  if (points) {
    const heads = ["Row", chart.x_axis.label, chart.y_axis.label, ...(points.series ? ["Series"] : [])];
    const rows = points.rows.map((row, at) => [
      row,
      points.x[at],
      points.y[at],
      ...(points.series ? [series[points.series[at]!]] : []),
    ]);
    return { heads, rows };
  }
  if (curves.length) {
    const has = curves.some(({ threshold }) => threshold !== null);
    const heads = ["Curve", chart.x_axis.label, chart.y_axis.label, ...(has ? ["Threshold"] : [])];
    const rows = curves.flatMap((curve) =>
      curve.x.map((x, at) => [curve.name, x, curve.y[at], ...(has ? [curve.threshold?.[at] ?? null] : [])]),
    );
    return { heads, rows };
  }
  const used = FIELDS.filter((field) => field === "name" || chart.groups.some((group) => group[field] !== null));
  const heads = used.map((field) => HEADS[field]);
  return { heads, rows: chart.groups.map((group: Group) => used.map((field) => group[field])) };
}

export function ChartTable({ chart, label }: { chart: Chart; label: string }) {
  const { heads, rows } = rowsOf(chart);
  return (
    <div class="chart-table" tabIndex={0} role="group" aria-label={`Numbers of ${label}`}>
      <table>
        <thead>
          <tr>
            {heads.map((head, at) => (
              <th key={at} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, MOST).map((row, at) => (
            <tr key={at}>
              {row.map((value, column) => (
                <td key={column}>{formatValue(value)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > MOST && <p class="scale-note">{`${rows.length - MOST} more rows; the file has all.`}</p>}
    </div>
  );
}
