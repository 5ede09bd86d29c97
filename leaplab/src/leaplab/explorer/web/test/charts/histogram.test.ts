import { expect, it } from "vitest";
import { binAt, isInside, rangeOf } from "../../src/charts/histogram";

const scale = { low: 0, high: 3.2, median: 1, min: -5, max: 90, crowd: null, absent: 0 };

it.each([
  [4, 7, { low: 0.4, high: 0.8 }],
  [0, 7, { low: null, high: 0.8 }],
  [4, 31, { low: 0.4, high: null }],
  [0, 31, { low: null, high: null }],
])("bins %d to %d of 32 are a range, open where the scale ends", (from, to, range) => {
  expect(rangeOf(scale, 32, from, to)).toEqual(range);
});

it("a range of a narrow scale tells its bins apart", () => {
  const narrow = { ...scale, low: 1000, high: 1000.0064 };
  const { low, high } = rangeOf(narrow, 32, 1, 1);
  expect(low).toBeCloseTo(1000.0002, 5);
  expect(high).toBeCloseTo(1000.0004, 5);
  expect([0, 1, 2].map((bin) => isInside(narrow, 32, bin, low, high))).toEqual([false, true, false]);
});

it("what was drawn is what is inside", () => {
  const { low, high } = rangeOf(scale, 32, 5, 9);
  const inside = Array.from({ length: 32 }, (_, bin) => isInside(scale, 32, bin, low, high));
  expect(inside.flatMap((one, bin) => (one ? [bin] : []))).toEqual([5, 6, 7, 8, 9]);
});

it.each([
  [-0.2, 0],
  [0, 0],
  [0.49, 15],
  [0.5, 16],
  [1, 31],
  [1.7, 31],
])("the share %d of the width lies in bin %d", (share, bin) => {
  expect(binAt(share, 32)).toBe(bin);
});
