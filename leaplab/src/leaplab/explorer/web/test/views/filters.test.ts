import { expect, it } from "vitest";
import { told } from "../../src/views/filters";

const labels = new Map([["loss.a", "cross entropy"]]);

it.each([
  [{ column: "loss.a", low: 0.5, high: 2 }, "cross entropy: 0.5 to 2"],
  [{ column: "loss.a", low: 0.5, high: null }, "cross entropy: at least 0.5"],
  [{ column: "loss.a", low: null, high: 0 }, "cross entropy: at most 0"],
  [{ column: "metadata.x", keep: ["cat", null] }, "metadata.x: cat, absent"],
])("a filter is told in words: %o", (filter, words) => {
  expect(told(filter, labels)).toBe(words);
});
