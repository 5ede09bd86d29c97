/** Which of many equal tiles a scrolled view shows. Pure. */

export interface Tiles {
  /** Tiles side by side. */
  columns: number;
  /** Height of all of them, in CSS pixels. */
  height: number;
  /** The first tile that is drawn, and the one behind the last. */
  from: number;
  to: number;
  /** Where the first one's row begins, in CSS pixels from the top. */
  top: number;
}

/** Rows of tiles that are drawn above and below what is seen. */
const AROUND = 2;

/**
 * @param count of tiles.
 * @param tile side of a tile with its gap, in CSS pixels.
 * @param scrolled how far the view is scrolled, in CSS pixels.
 */
export function tilesShown(count: number, tile: number, width: number, height: number, scrolled: number): Tiles {
  const columns = Math.max(1, Math.floor(width / tile));
  const rows = Math.ceil(count / columns);
  const first = Math.max(0, Math.min(rows - 1, Math.floor(scrolled / tile) - AROUND));
  const last = Math.min(rows, Math.ceil((scrolled + height) / tile) + AROUND);
  return {
    columns,
    height: rows * tile,
    from: first * columns,
    to: Math.min(count, last * columns),
    top: first * tile,
  };
}
