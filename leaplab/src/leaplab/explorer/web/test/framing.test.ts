import { expect, it } from "vitest";
import { boundsOf, frameBounds } from "../src/framing";

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
  [1000, 700, 0],
  [1000, 700, 212],
  [660, 740, 212],
  [400, 900, 212],
])("shows every point in a view of %d x %d with %d covered", (width, height, covered) => {
  const frame = frameBounds(square, width, height, covered);
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

it("keeps the points clear of what covers the right, where the view is wide enough", () => {
  const frame = frameBounds(square, 1000, 700, 212);
  expect(onScreen(frame, 1000, 700, 1, 0)[0]).toBeLessThan(1000 - 212);
});

it("follows the points, and gives a single one room", () => {
  expect(boundsOf(Float32Array.from([0.2, 0.4, 0.6, 0.8]))).toMatchObject({
    x: expect.closeTo(0.4, 5),
    y: expect.closeTo(0.6, 5),
  });
  expect(boundsOf(Float32Array.from([0.5, 0.5])).halfWidth).toBeGreaterThan(0);
  expect(boundsOf(new Float32Array())).toEqual({ x: 0, y: 0, halfWidth: 1, halfHeight: 1 });
});
