/** Where the camera stands, and what of the map it sees. Pure. */

/** Centre and half extents of the points. */
export interface Bounds {
  x: number;
  y: number;
  halfWidth: number;
  halfHeight: number;
}

/** The camera's target, and half the height that it sees there. */
export interface Framing {
  x: number;
  y: number;
  distance: number;
}

/** Bounds of x0 y0 x1 y1 ...; without points those of [-1, 1]. */
export function boundsOf(xy: Float32Array): Bounds {
  let [left, right, bottom, top] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < xy.length; i += 2) {
    if (!Number.isFinite(xy[i]!)) continue; // a sample without a place
    left = Math.min(left, xy[i]!);
    right = Math.max(right, xy[i]!);
    bottom = Math.min(bottom, xy[i + 1]!);
    top = Math.max(top, xy[i + 1]!);
  }
  if (!(right >= left && top >= bottom)) return { x: 0, y: 0, halfWidth: 1, halfHeight: 1 };
  // A population of one point, or on a line, still gets some room around it.
  const half = (from: number, to: number): number => Math.max(0.05, (to - from) / 2);
  return { x: (left + right) / 2, y: (bottom + top) / 2, halfWidth: half(left, right), halfHeight: half(bottom, top) };
}

/** CSS pixels between the points and the border of the view, so that none of the discs at the border is cut. */
const BORDER = 16;

/** Shows all of the bounds in a view of width x height CSS pixels. */
export function frameBounds({ x, y, halfWidth, halfHeight }: Bounds, width: number, height: number): Framing {
  const inner = (side: number): number => Math.max(side / 2, side - 2 * BORDER, 1);
  const pixel = Math.max((2 * halfHeight) / inner(height), (2 * halfWidth) / inner(width));
  return { x, y, distance: (pixel * Math.max(1, height)) / 2 };
}

/** Size of what shows the map, in CSS pixels. */
export interface Viewport {
  width: number;
  height: number;
}

/** Length on the map of one CSS pixel. */
export const pixelSize = ({ distance }: Framing, { height }: Viewport): number => (2 * distance) / Math.max(1, height);

/** Where a place on the map is seen, in CSS pixels from the upper left corner. */
export function toScreen(camera: Framing, view: Viewport, x: number, y: number): [number, number] {
  const pixel = pixelSize(camera, view);
  return [view.width / 2 + (x - camera.x) / pixel, view.height / 2 - (y - camera.y) / pixel];
}

/** The place on the map that is seen at CSS pixels from the upper left corner. */
export function toMap(camera: Framing, view: Viewport, left: number, top: number): [number, number] {
  const pixel = pixelSize(camera, view);
  return [camera.x + (left - view.width / 2) * pixel, camera.y - (top - view.height / 2) * pixel];
}

/** Closer by a factor, with the place that is seen at (left, top) staying there. */
export function zoomedAt(camera: Framing, view: Viewport, factor: number, left: number, top: number): Framing {
  const distance = Math.min(FARTHEST, Math.max(NEAREST, camera.distance / factor));
  const [x, y] = toMap(camera, view, left, top);
  const pixel = pixelSize({ ...camera, distance }, view);
  return { x: x - (left - view.width / 2) * pixel, y: y + (top - view.height / 2) * pixel, distance };
}

/** float32 coordinates of a map within [-1, 1] are told apart to 1e-7: nearer than that there is nothing to see. */
const NEAREST = 1e-5;
const FARTHEST = 20;
