/** The points inside of what a person drew around them. Pure. */

import type { PointGrid } from "./grid";

/** Corners x0 y0 x1 y1 ... on the map; the last is joined to the first. */
export type Polygon = readonly number[];

/** The shown rows inside of a polygon (even-odd: what a line crosses twice is outside), ascending. */
export function rowsInside(
  grid: PointGrid,
  xy: Float32Array,
  polygon: Polygon,
  isShown: (row: number) => boolean,
): number[] {
  if (polygon.length < 6) return [];
  let [left, bottom, right, top] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < polygon.length; i += 2) {
    left = Math.min(left, polygon[i]!);
    right = Math.max(right, polygon[i]!);
    bottom = Math.min(bottom, polygon[i + 1]!);
    top = Math.max(top, polygon[i + 1]!);
  }
  const rows: number[] = [];
  grid.visit(left, bottom, right, top, (row) => {
    if (isShown(row) && contains(polygon, xy[2 * row]!, xy[2 * row + 1]!)) rows.push(row);
  });
  return rows.sort((a, b) => a - b);
}

/** Whether a place lies inside of a polygon: whether a ray to the right crosses its sides an odd number of times. */
export function contains(polygon: Polygon, x: number, y: number): boolean {
  let inside = false;
  for (let i = 0, j = polygon.length - 2; i < polygon.length; j = i, i += 2) {
    const [x1, y1, x2, y2] = [polygon[i]!, polygon[i + 1]!, polygon[j]!, polygon[j + 1]!];
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) inside = !inside;
  }
  return inside;
}
