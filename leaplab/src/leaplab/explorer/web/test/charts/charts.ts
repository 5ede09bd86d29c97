import type { Chart, Group } from "../../src/api/charts";

/** A mark of which only what is said is not as usual. */
export function mark(patch: Partial<Group>): Group {
  return {
    ...{ name: String(patch.x ?? ""), count: 1, value: 1, low: null, high: null, series: null, box: null },
    ...{ x: null, x_low: null, x_high: null, y: null, y_low: null, y_high: null },
    ...patch,
  };
}

/** A chart of these marks. */
export function makeChart(kind: string, groups: Group[], patch: Partial<Chart> = {}): Chart {
  const categories = [...new Set(groups.map(({ x }) => x).filter((x) => typeof x === "string"))];
  const axis = { column: null, categories: null, low: null, high: null };
  return {
    kind,
    x: "metadata.label",
    y: null,
    split: null,
    aggregate: "mean",
    of: "samples",
    x_axis: categories.length
      ? { ...axis, label: "label", type: "category", categories }
      : { ...axis, label: "size", type: "number" },
    y_axis: { ...axis, label: "mean loss", type: "number" },
    count: groups.reduce((sum, { count }) => sum + count, 0),
    absent: 0,
    series: [],
    groups,
    correlation: null,
    correlation_low: null,
    correlation_high: null,
    rank_correlation: null,
    points: null,
    curves: [],
    outcomes: [],
    best: [],
    threshold: null,
    measures: {},
    told: "It is so.",
    notices: [],
    ...patch,
  };
}
