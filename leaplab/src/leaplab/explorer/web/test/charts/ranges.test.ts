import { describe, expect, it } from "vitest";
import { below, closed, isWithin, rounded, snapped } from "../../src/charts/ranges";
import { mark } from "./charts";

const BINS = [
  mark({ x_low: 0, x_high: 0.1 }),
  mark({ x_low: 0.1, x_high: 0.2 }),
  mark({ x_low: 0.2, x_high: 0.30000000000000004 }),
];

describe("the next smaller double", () => {
  it.each([
    [1, 0.9999999999999999],
    [0.1, 0.09999999999999999],
    [-1, -1.0000000000000002],
    [0, -5e-324],
    [5e-324, 0],
    [2 ** 53, 2 ** 53 - 1],
    [Infinity, Number.MAX_VALUE],
  ])("of %s is %s", (value, expected) => {
    expect(below(value)).toBe(expected);
  });

  it("has none between itself and its number", () => {
    for (const value of [0.1, 3.7, -12.25, 1e-12, 123456.789]) {
      const less = below(value);
      expect(less).toBeLessThan(value);
      expect([less, value]).toContain((less + value) / 2);
    }
  });
});

describe("a bin as a range", () => {
  it("leaves its upper edge to the next one, unless it is the last", () => {
    const values = [0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.30000000000000004];
    const held = BINS.map(({ x_low, x_high }) => {
      const { low, high } = closed(x_low!, x_high!, 0.30000000000000004);
      return values.filter((value) => value >= low! && value <= high!);
    });
    expect(held).toEqual([
      [0, 0.05],
      [0.1, 0.15],
      [0.2, 0.25, 0.30000000000000004],
    ]);
  });

  it("is the bins that were drawn over, whole", () => {
    expect(snapped(BINS, 0.12, 0.18)).toEqual({ low: 0.1, high: below(0.2) });
    expect(snapped(BINS, 0.18, 0.05)).toEqual({ low: 0, high: below(0.2) });
    expect(snapped(BINS, 0.25, 9)).toEqual({ low: 0.2, high: 0.30000000000000004 });
    expect(snapped(BINS, 0.2, 0.2 + 1e-9)!.low).toBe(0.2);
    expect(snapped(BINS, 3, 4)).toBeNull();
  });

  it("lies within a range that holds all of it", () => {
    const range = { low: 0.1, high: below(0.2) };
    const inside = BINS.map(({ x_low, x_high }) => isWithin(x_low!, x_high!, range, 0.30000000000000004));
    expect(inside).toEqual([false, true, false]);
    expect(isWithin(0.1, 0.2, { low: null, high: 0.15 }, 1)).toBe(false);
    expect(isWithin(0.1, 0.2, { low: 0.05, high: null }, 1)).toBe(true);
  });
});

it("rounds what was drawn to what its pixels tell apart", () => {
  expect(rounded(0.123456, 0.98765, 0.01)).toEqual({ low: 0.123, high: 0.988 });
  expect(rounded(981.3, 12.7, 10)).toEqual({ low: 13, high: 981 });
});
