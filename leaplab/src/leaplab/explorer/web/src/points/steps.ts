/** From one point to another by the keys. Pure. */

export type Direction = readonly [right: -1 | 0 | 1, up: -1 | 0 | 1];

/**
 * The nearest shown row in a direction: what lies within 45 degrees of it.
 *
 * @param from row to go from.
 */
export function nearestTowards(
  xy: Float32Array,
  from: number,
  [right, up]: Direction,
  isShown: (row: number) => boolean,
): number | null {
  const [x, y] = [xy[2 * from]!, xy[2 * from + 1]!];
  let [nearest, least] = [-1, Infinity];
  for (let row = 0; row < xy.length / 2; row++) {
    const [dx, dy] = [xy[2 * row]! - x, xy[2 * row + 1]! - y];
    const along = dx * right + dy * up;
    const aside = Math.abs(dx * up + dy * right);
    const distance = dx * dx + dy * dy;
    // What is not finite is in no direction.
    if (along > 0 && aside <= along && distance < least && isShown(row)) [nearest, least] = [row, distance];
  }
  return nearest >= 0 ? nearest : null;
}

/** The shown row that is nearest to a place. */
export function nearestTo(xy: Float32Array, x: number, y: number, isShown: (row: number) => boolean): number | null {
  let [nearest, least] = [-1, Infinity];
  for (let row = 0; row < xy.length / 2; row++) {
    const distance = (xy[2 * row]! - x) ** 2 + (xy[2 * row + 1]! - y) ** 2;
    if (distance < least && isShown(row)) [nearest, least] = [row, distance];
  }
  return nearest >= 0 ? nearest : null;
}
