import { expect, it } from "vitest";
import { formatCount, formatName, formatNumber, formatSamples, formatValue } from "../../src/ui/format";

it.each([
  [0, "0"],
  [3, "3"],
  [2024, "2024"],
  [70000, "70,000"],
  [-5, "\u22125"],
  [0.123456, "0.1235"],
  [-0.5, "\u22120.5"],
  [1234.5678, "1235"],
  [12345.678, "12,346"],
  [0.00001234, "1.23e\u22125"],
  [12345678.9, "1.23e7"],
  [NaN, "\u2014"],
  [Infinity, "\u221e"],
])("writes %d as %s", (value, text) => {
  expect(formatNumber(value)).toBe(text);
});

it("writes absent values as an em dash, and other values as they are", () => {
  expect([null, undefined, ""].map(formatValue)).toEqual(["\u2014", "\u2014", "\u2014"]);
  expect(formatValue(false)).toBe("false");
  expect(formatValue("night")).toBe("night");
  expect(formatValue([1, 2])).toBe("[1,2]");
});

it("writes counts and names for a person", () => {
  expect(formatCount(1_000_000)).toBe("1,000,000");
  expect(formatSamples(1)).toBe("1 sample");
  expect(formatSamples(70_000)).toBe("70,000 samples");
  expect(formatName("cross_entropy")).toBe("cross entropy");
});
