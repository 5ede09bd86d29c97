/** Marks of charts as filters. Pure. */

import type { Chart, Group } from "../api/charts";
import type { Filter } from "../api/client";
import { closed, lastEdge, type Range } from "../charts/ranges";
import { OTHERS } from "../charts/room";

/** Kinds whose marks lie along the first axis. */
const ALONG: readonly string[] = ["bar", "line", "histogram", "box"];

/** Which columns a chart's marks filter. */
export function filteredBy(chart: Chart): string[] {
  const { kind, x, y, split } = chart;
  const columns =
    kind === "group-means"
      ? [split]
      : kind === "heatmap" || kind === "scatter"
        ? [x, y]
        : ALONG.includes(kind)
          ? [x]
          : [];
  return columns.filter((column) => column !== null);
}

/** The filters that leave just a mark's samples; none where it stands for none of its own. */
export function filtersOf(chart: Chart, mark: Group): Filter[] {
  if (chart.kind === "group-means") {
    return chart.split && mark.name !== OTHERS ? [{ column: chart.split, keep: [mark.name] }] : [];
  }
  const own = filteredBy(chart);
  const filters: Filter[] = [];
  for (const axis of ["x", "y"] as const) {
    const column = chart[axis];
    if (column === null || !own.includes(column) || chart.kind === "scatter") continue;
    const filter = placeOf(chart, mark, axis, column);
    if (!filter) return [];
    filters.push(filter);
  }
  return filters;
}

function placeOf(chart: Chart, mark: Group, axis: "x" | "y", column: string): Filter | null {
  const [at, low, high] = [mark[axis], mark[`${axis}_low`], mark[`${axis}_high`]];
  if (low !== null && high !== null) return { column, ...closed(low, high, lastEdge(chart.groups, axis)) };
  return typeof at === "string" ? { column, keep: [at] } : null;
}

/** Whether a mark stands out by the filters of its chart's columns; null where there are none. */
export function isMarked(chart: Chart, mark: Group, filters: readonly Filter[]): boolean | null {
  const own = filteredBy(chart);
  const set = filters.filter(({ column }) => own.includes(column));
  if (!set.length) return null;
  const marks = filtersOf(chart, mark);
  return set.every((filter) => {
    const place = marks.find(({ column }) => column === filter.column);
    return place === undefined || lies(place, filter);
  });
}

function lies(place: Filter, filter: Filter): boolean {
  if (place.keep) return filter.keep?.includes(place.keep[0]!) ?? false;
  const { low, high } = filter;
  return place.low! >= (low ?? -Infinity) && place.high! <= (high ?? Infinity);
}

/**
 * The filters after a mark was chosen: it alone, or, where it was that, nothing.
 *
 * @param more whether a category is added to those that are kept, or taken from them.
 */
export function chosen(filters: readonly Filter[], marks: readonly Filter[], more: boolean): Filter[] {
  const columns = marks.map(({ column }) => column);
  const others = filters.filter(({ column }) => !columns.includes(column));
  const [mark] = marks;
  const before = filters.find(({ column }) => column === mark?.column);
  if (more && marks.length === 1 && mark?.keep && before?.keep) {
    const [name] = mark.keep as [string];
    const keep = before.keep.includes(name) ? before.keep.filter((each) => each !== name) : [...before.keep, name];
    return keep.length ? [...others, { column: mark.column, keep }] : others;
  }
  const isOff = marks.every((each) => filters.some((filter) => isSame(filter, each)));
  return isOff ? others : [...others, ...marks];
}

/** The filters with a range of a column; one without ends filters nothing. */
export function ranged(filters: readonly Filter[], column: string, range: Range): Filter[] {
  const others = filters.filter((each) => each.column !== column);
  return range.low === null && range.high === null ? others : [...others, { column, ...range }];
}

function isSame(a: Filter, b: Filter): boolean {
  if (a.column !== b.column) return false;
  if (a.keep && b.keep) return a.keep.length === b.keep.length && a.keep.every((each) => b.keep!.includes(each));
  return !a.keep && !b.keep && (a.low ?? null) === (b.low ?? null) && (a.high ?? null) === (b.high ?? null);
}
