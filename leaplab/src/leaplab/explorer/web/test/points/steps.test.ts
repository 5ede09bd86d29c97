import { expect, it } from "vitest";
import { type Direction, nearestTo, nearestTowards } from "../../src/points/steps";

const everywhere = (): boolean => true;
//  3 . 4
//  . 0 1 2
//  5
const xy = Float32Array.from([0, 0, 1, 0, 2, 0, -1, 1, 1, 1.5, -1, -1, NaN, NaN]);

it.each<[Direction, number | null]>([
  [[1, 0], 1],
  [[-1, 0], 3],
  [[0, 1], 3],
  [[0, -1], 5],
])("goes to the nearest within 45 degrees of %j", (direction, row) => {
  expect(nearestTowards(xy, 0, direction, everywhere)).toBe(row);
});

it("passes over what is hidden, and stays where nothing lies", () => {
  expect(nearestTowards(xy, 0, [1, 0], (row) => row !== 1)).toBe(2);
  expect(nearestTowards(xy, 2, [1, 0], everywhere)).toBeNull();
  expect(nearestTowards(xy, 6, [1, 0], everywhere)).toBeNull();
});

it("finds what is nearest to a place", () => {
  expect(nearestTo(xy, 0.9, 0.9, everywhere)).toBe(4);
  expect(nearestTo(xy, 0.9, 0.9, (row) => row !== 4)).toBe(1);
  expect(nearestTo(Float32Array.from([NaN, NaN]), 0, 0, everywhere)).toBeNull();
});
