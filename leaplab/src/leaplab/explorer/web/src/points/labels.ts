/** Where the name of a category stands on the map. Pure. */

import { boundsOf } from "./camera";

/** Cells along a side of the map. */
const CELLS = 24;

export interface Label {
  text: string;
  x: number;
  y: number;
  /** Points that it names. */
  count: number;
}

/**
 * The middle of the points of each category where most of them lie: one that falls apart into islands is named on its
 * largest, and none is named between them, as a mean would.
 *
 * @param codes of each row, an index into the names; others have no name.
 * @param shown above 0 for each row that counts; null: all do.
 */
export function labelsOf(
  xy: Float32Array,
  codes: ArrayLike<number>,
  names: readonly string[],
  shown: Uint8Array | null,
): Label[] {
  const { x, y, halfWidth, halfHeight } = boundsOf(xy);
  const cellOf = (row: number): number => {
    const column = Math.floor(((xy[2 * row]! - x + halfWidth) / (2 * halfWidth)) * CELLS);
    const line = Math.floor(((xy[2 * row + 1]! - y + halfHeight) / (2 * halfHeight)) * CELLS);
    return Math.min(CELLS - 1, line) * CELLS + Math.min(CELLS - 1, column);
  };
  const counts = names.map(() => new Uint32Array(CELLS * CELLS));
  const sums = names.map(() => new Float64Array(2 * CELLS * CELLS));
  for (let row = 0; row < codes.length; row++) {
    const code = codes[row]!;
    if (code >= names.length || (shown && !shown[row]) || !Number.isFinite(xy[2 * row]!)) continue;
    const cell = cellOf(row);
    counts[code]![cell]! += 1;
    sums[code]![2 * cell]! += xy[2 * row]!;
    sums[code]![2 * cell + 1]! += xy[2 * row + 1]!;
  }
  return names.flatMap((text, code) => {
    const most = Math.max(...counts[code]!);
    if (most === 0) return [];
    const cell = counts[code]!.indexOf(most);
    const count = counts[code]!.reduce((sum, each) => sum + each, 0);
    return [{ text, x: sums[code]![2 * cell]! / most, y: sums[code]![2 * cell + 1]! / most, count }];
  });
}

/**
 * Which of some boxes are drawn, so that none covers another: of two that overlap, the one before.
 *
 * @param boxes left, top, width and height of each, the most important first.
 */
export function uncovered(boxes: readonly (readonly [number, number, number, number])[]): boolean[] {
  const drawn: (readonly [number, number, number, number])[] = [];
  return boxes.map((box) => {
    const [left, top, width, height] = box;
    const isFree = drawn.every(
      ([x, y, w, h]) => left >= x + w || x >= left + width || top >= y + h || y >= top + height,
    );
    if (isFree) drawn.push(box);
    return isFree;
  });
}
