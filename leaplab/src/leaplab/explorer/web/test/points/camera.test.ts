import { expect, it } from "vitest";
import { boundsOf, frameBounds, pixelSize, toMap, toScreen, zoomedAt } from "../../src/points/camera";

const square = boundsOf(Float32Array.from([-1, -1, 1, 1, 0, 0.5]));

/** Where a point lies in the view, in CSS pixels: half the height sees `distance`. */
function onScreen(
  frame: ReturnType<typeof frameBounds>,
  width: number,
  height: number,
  x: number,
  y: number,
): [number, number] {
  const pixels = height / 2 / frame.distance;
  return [width / 2 + (x - frame.x) * pixels, height / 2 - (y - frame.y) * pixels];
}

it.each([
  [1000, 700],
  [660, 740],
  [400, 900],
])("shows every point in a view of %d x %d", (width, height) => {
  const frame = frameBounds(square, width, height);
  for (const [x, y] of [
    [-1, -1],
    [1, 1],
  ] as const) {
    const [left, top] = onScreen(frame, width, height, x, y);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(width);
    expect(top).toBeGreaterThan(0);
    expect(top).toBeLessThan(height);
  }
});

it("follows the points, and gives a single one room", () => {
  expect(boundsOf(Float32Array.from([0.2, 0.4, 0.6, 0.8]))).toMatchObject({
    x: expect.closeTo(0.4, 5),
    y: expect.closeTo(0.6, 5),
  });
  expect(boundsOf(Float32Array.from([0.5, 0.5])).halfWidth).toBeGreaterThan(0);
  expect(boundsOf(new Float32Array())).toEqual({ x: 0, y: 0, halfWidth: 1, halfHeight: 1 });
});

const view = { width: 800, height: 400 };
const camera = { x: 0.25, y: -0.5, distance: 0.5 };

it("sees the target in the middle, and half of the height within its distance", () => {
  expect(toScreen(camera, view, 0.25, -0.5)).toEqual([400, 200]);
  expect(toScreen(camera, view, 0.25, 0)).toEqual([400, 0]);
  expect(toScreen(camera, view, 1.25, -0.5)).toEqual([800, 200]); // as wide as two heights
  expect(pixelSize(camera, view)).toBe(1 / 400);
});

it("finds the place on the map that is seen at a pixel", () => {
  for (const [left, top] of [
    [0, 0],
    [123, 321],
    [800, 400],
  ] as const) {
    const [x, y] = toMap(camera, view, left, top);
    const [back, down] = toScreen(camera, view, x, y);
    expect([back, down]).toEqual([expect.closeTo(left, 9), expect.closeTo(top, 9)]);
  }
});

it("zooms with what is under the pointer staying there, and only as far as there is something to see", () => {
  const closer = zoomedAt(camera, view, 4, 700, 50);
  expect(closer.distance).toBe(0.125);
  expect(toMap(closer, view, 700, 50)).toEqual(toMap(camera, view, 700, 50).map((one) => expect.closeTo(one, 12)));
  expect(zoomedAt(camera, view, 1e12, 0, 0).distance).toBeGreaterThan(1e-6);
  expect(zoomedAt(camera, view, 1e-12, 0, 0).distance).toBeLessThan(100);
});
