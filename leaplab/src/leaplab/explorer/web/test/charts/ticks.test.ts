import { describe, expect, it } from "vitest";
import { logTicks, ticksOf, written } from "../../src/charts/ticks";

describe("ticks", () => {
  it.each([
    [0, 1, 300, ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]],
    [0, 60_000, 300, ["0", "10,000", "20,000", "30,000", "40,000", "50,000", "60,000"]],
    [0, 4_000_000, 300, ["0", "1M", "2M", "3M", "4M"]],
    [-0.05, 0.05, 150, ["\u22120.05", "0", "0.05"]],
    [0, 0.00004, 120, ["0", "2e\u22125", "4e\u22125"]],
  ])("from %s to %s on %s pixels are round, and written alike", (low, high, pixels, texts) => {
    expect(ticksOf(low, high, pixels).texts).toEqual(texts);
  });

  it("lie between the ends, and are as many as there is room for", () => {
    for (const [low, high] of [
      [0.13, 7.4],
      [-1200, 40],
      [1e-7, 3e-7],
    ] as const) {
      const { values } = ticksOf(low, high, 400, 40);
      expect(values.length).toBeGreaterThan(2);
      expect(values.length).toBeLessThan(14);
      expect(values.every((value) => value >= low && value <= high)).toBe(true);
    }
  });

  it("are one where all numbers are one", () => {
    expect(ticksOf(3, 3, 300)).toEqual({ values: [3], texts: ["3"] });
  });

  it("of a logarithm are powers of ten", () => {
    expect(logTicks(0.001, 1000).values).toEqual([0.001, 0.01, 0.1, 1, 10, 100, 1000].filter((_, at) => at % 2 === 0));
    expect(logTicks(1, 20).values).toEqual([1, 2, 5, 10, 20]);
  });
});

it("writes large numbers short", () => {
  expect(written(1_500_000, 500_000)).toBe("1.5M");
  expect(written(250_000, 50_000)).toBe("250k");
  expect(written(-12_000, 1000)).toBe("\u221212,000");
});
