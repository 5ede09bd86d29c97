/** Lines around where the points of a category lie. Pure. */

import { boundsOf } from "./camera";

/** Cells along a side of the grid on which points are counted. */
const CELLS = 72;
/** Times that counts are spread over the neighbouring cells. */
const SPREADS = 2;
/** Of a category's points, how many lie inside of its line. */
const INSIDE = 0.9;

export interface Outline {
  text: string;
  /** x0 y0 x1 y1 of each piece of the line, on the map. */
  segments: Float32Array;
}

/**
 * A line of equal density around each category that holds nine tenths of its points: a stray point widens no line, and a
 * category that falls apart has several.
 *
 * @param codes of each row, an index into the names; others have no line.
 * @param shown above 0 for each row that counts; null: all do.
 */
export function outlinesOf(
  xy: Float32Array,
  codes: ArrayLike<number>,
  names: readonly string[],
  shown: Uint8Array | null,
): Outline[] {
  const bounds = boundsOf(xy);
  // A border of empty cells, so that every line closes.
  const border = SPREADS + 1;
  const inner = CELLS - 2 * border;
  const size = (2 * Math.max(bounds.halfWidth, bounds.halfHeight)) / inner;
  const left = bounds.x - bounds.halfWidth - border * size;
  const bottom = bounds.y - bounds.halfHeight - border * size;
  const cellOf = (row: number): number => {
    const column = Math.min(CELLS - border - 1, Math.floor((xy[2 * row]! - left) / size));
    const line = Math.min(CELLS - border - 1, Math.floor((xy[2 * row + 1]! - bottom) / size));
    return line * CELLS + column;
  };
  const counts = names.map(() => new Float64Array(CELLS * CELLS));
  for (let row = 0; row < codes.length; row++) {
    const code = codes[row]!;
    if (!(code >= 0 && code < names.length) || (shown && !shown[row]) || !Number.isFinite(xy[2 * row]!)) continue;
    counts[code]![cellOf(row)]! += 1;
  }
  return names.flatMap((text, code) => {
    const density = spread(counts[code]!);
    const level = levelOf(counts[code]!, density);
    return level > 0 ? [{ text, segments: contour(density, level, left + size / 2, bottom + size / 2, size) }] : [];
  });
}

/** Counts, spread by a kernel of 1 2 1 both ways. */
function spread(counts: Float64Array): Float64Array {
  let density = counts;
  for (let time = 0; time < SPREADS; time++) {
    for (const step of [1, CELLS]) {
      const next = new Float64Array(density.length);
      for (let cell = step; cell < density.length - step; cell++) {
        next[cell] = (density[cell - step]! + 2 * density[cell]! + density[cell + step]!) / 4;
      }
      density = next;
    }
  }
  return density;
}

/** The density that `INSIDE` of the points have at least; 0 where there is no point. */
function levelOf(counts: Float64Array, density: Float64Array): number {
  const cells = Array.from(counts.keys())
    .filter((cell) => counts[cell]! > 0)
    .sort((a, b) => density[b]! - density[a]!);
  const all = counts.reduce((sum, count) => sum + count, 0);
  let inside = 0;
  for (const cell of cells) {
    inside += counts[cell]!;
    // A little lower than the cell itself, or the line would go through its middle.
    if (inside >= INSIDE * all) return 0.6 * density[cell]!;
  }
  return 0;
}

/** Marching squares: the pieces of the line where values on a grid cross a level. */
function contour(values: Float64Array, level: number, left: number, bottom: number, size: number): Float32Array {
  const segments: number[] = [];
  for (let line = 0; line < CELLS - 1; line++) {
    for (let column = 0; column < CELLS - 1; column++) {
      const cell = line * CELLS + column;
      // Corners counter-clockwise, from the lower left.
      const corners = [
        [0, 0, values[cell]!],
        [1, 0, values[cell + 1]!],
        [1, 1, values[cell + CELLS + 1]!],
        [0, 1, values[cell + CELLS]!],
      ] as const;
      const crossings: [number, number][] = [];
      corners.forEach(([x0, y0, from], corner) => {
        const [x1, y1, to] = corners[(corner + 1) % 4]!;
        if (from >= level === to >= level) return;
        const part = (level - from) / (to - from);
        crossings.push([
          left + (column + x0 + part * (x1 - x0)) * size,
          bottom + (line + y0 + part * (y1 - y0)) * size,
        ]);
      });
      // Four crossings: the line passes twice; which two belong together, the middle decides.
      const middle = corners.reduce((sum, [, , value]) => sum + value, 0) / 4 >= level;
      if (crossings.length === 4 && middle !== corners[0][2] >= level) crossings.push(crossings.shift()!);
      for (let at = 0; at + 1 < crossings.length; at += 2) segments.push(...crossings[at]!, ...crossings[at + 1]!);
    }
  }
  return Float32Array.from(segments);
}
