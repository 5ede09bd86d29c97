/** Which points lie where: a grid over the map, so that a click or a lasso looks at few of a million points. Pure. */

import { boundsOf } from "./camera";

/** Points a cell on average. */
const PER_CELL = 4;
const MOST_CELLS = 1024;

export class PointGrid {
  private readonly columns: number;
  private readonly rows: number;
  private readonly left: number;
  private readonly bottom: number;
  private readonly cellWidth: number;
  private readonly cellHeight: number;
  /** The points of cell c are members[starts[c]] to members[starts[c + 1] - 1]. */
  private readonly starts: Uint32Array;
  private readonly members: Uint32Array;

  /** @param xy x0 y0 x1 y1 ...; points that are not finite are in no cell. */
  constructor(private readonly xy: Float32Array) {
    const samples = xy.length / 2;
    const bounds = boundsOf(xy);
    const side = Math.min(MOST_CELLS, Math.max(1, Math.ceil(Math.sqrt(samples / PER_CELL))));
    this.columns = this.rows = side;
    this.left = bounds.x - bounds.halfWidth;
    this.bottom = bounds.y - bounds.halfHeight;
    this.cellWidth = (2 * bounds.halfWidth) / side;
    this.cellHeight = (2 * bounds.halfHeight) / side;
    // A counting sort by cell.
    const cells = new Int32Array(samples).fill(-1);
    this.starts = new Uint32Array(side * side + 1);
    for (let row = 0; row < samples; row++) {
      const [x, y] = [xy[2 * row]!, xy[2 * row + 1]!];
      if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
      const cell = this.rowOf(y) * side + this.columnOf(x);
      cells[row] = cell;
      this.starts[cell + 1]! += 1;
    }
    for (let cell = 0; cell < side * side; cell++) this.starts[cell + 1]! += this.starts[cell]!;
    const next = this.starts.slice();
    this.members = new Uint32Array(this.starts[side * side]!);
    for (let row = 0; row < samples; row++) {
      const cell = cells[row]!;
      if (cell >= 0) this.members[next[cell]!++] = row;
    }
  }

  /** Calls for every point whose cell touches the rectangle: all that lie in it, and a few around it. */
  visit(left: number, bottom: number, right: number, top: number, each: (row: number) => void): void {
    const [fromColumn, toColumn] = [this.columnOf(left), this.columnOf(right)];
    const [fromRow, toRow] = [this.rowOf(bottom), this.rowOf(top)];
    for (let row = fromRow; row <= toRow; row++) {
      const first = this.starts[row * this.columns + fromColumn]!;
      const last = this.starts[row * this.columns + toColumn + 1]!;
      for (let at = first; at < last; at++) each(this.members[at]!);
    }
  }

  /**
   * The topmost point that covers a place, or, where none does, the nearest whose edge is within the slack.
   *
   * @param radiusOf radius of a point, on the map.
   * @param largest the largest of them.
   * @param rankOf place in the order of drawing; the greatest is on top.
   * @param isShown whether a point can be seen at all.
   */
  topmost(
    x: number,
    y: number,
    radiusOf: (row: number) => number,
    largest: number,
    rankOf: (row: number) => number,
    isShown: (row: number) => boolean,
    slack: number,
  ): number | null {
    let [covering, rank] = [-1, -1];
    let [nearest, gap] = [-1, Infinity];
    const reach = largest + slack;
    this.visit(x - reach, y - reach, x + reach, y + reach, (row) => {
      if (!isShown(row)) return;
      const edge = Math.hypot(this.xy[2 * row]! - x, this.xy[2 * row + 1]! - y) - radiusOf(row);
      if (edge <= 0 && rankOf(row) > rank) [covering, rank] = [row, rankOf(row)];
      else if (edge <= slack && edge < gap) [nearest, gap] = [row, edge];
    });
    if (covering >= 0) return covering;
    return nearest >= 0 ? nearest : null;
  }

  private columnOf(x: number): number {
    return clamped(Math.floor((x - this.left) / this.cellWidth), this.columns);
  }

  private rowOf(y: number): number {
    return clamped(Math.floor((y - this.bottom) / this.cellHeight), this.rows);
  }
}

const clamped = (index: number, count: number): number => Math.min(count - 1, Math.max(0, index));
