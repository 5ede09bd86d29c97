import { describe, expect, it } from "vitest";
import { layoutBars } from "../../src/charts/bars";

describe("layoutBars", () => {
  it("draws probabilities against one, and marks the ground truth and the highest", () => {
    const { bars, origin, left } = layoutBars({
      labels: ["cat", "dog", "ship"],
      values: [0.2, 0.5, 0.3],
      ground_truth: [1, 0, 0],
    });
    expect(bars.map((bar) => bar.length)).toEqual([0.2, 0.5, 0.3]);
    expect(bars.map((bar) => bar.start)).toEqual([0, 0, 0]);
    expect(bars.filter((bar) => bar.truth).map((bar) => bar.label)).toEqual(["cat"]);
    expect(bars.filter((bar) => bar.top).map((bar) => bar.label)).toEqual(["dog"]);
    expect([origin, left]).toEqual([0, 0]);
  });

  it("draws values beyond one against the largest, and negative ones to the left of zero", () => {
    const { bars, origin } = layoutBars({ labels: ["a", "b"], values: [-1, 3] });
    expect(origin).toBe(0.25);
    expect(bars[0]).toMatchObject({ start: 0, length: 0.25, top: false });
    expect(bars[1]).toMatchObject({ start: 0.25, length: 0.75, top: true });
  });

  it("keeps the largest of many, the ground truth always among them", () => {
    const values = Array.from({ length: 1000 }, (_, index) => index / 1000);
    const ground_truth = values.map((_, index) => (index === 3 ? 1 : 0));
    const { bars, left } = layoutBars({ labels: values.map((_, i) => `c${i}`), values, ground_truth }, 5);
    expect(bars.map((bar) => bar.label)).toEqual(["c999", "c998", "c997", "c996", "c3"]);
    expect(bars.at(-1)!.truth).toBe(true);
    expect(left).toBe(995);
  });

  it("marks all labels of a multi-label ground truth, and none where there is no ground truth", () => {
    const labels = ["a", "b", "c"];
    expect(layoutBars({ labels, values: [0, 0, 0], ground_truth: [1, 0, 1] }).bars.map((bar) => bar.truth)).toEqual([
      true,
      false,
      true,
    ]);
    expect(layoutBars({ labels, values: [0, 0, 0], ground_truth: [0, 0, 0] }).bars.some((bar) => bar.truth)).toBe(
      false,
    );
    expect(layoutBars({ labels, values: [0, 0, 0], ground_truth: null }).bars.some((bar) => bar.truth)).toBe(false);
  });

  it("draws nothing for a value that is no number, and bears unequal and empty lists", () => {
    expect(layoutBars({ labels: ["a", "b"], values: [NaN, 0.5] }).bars.map((bar) => bar.length)).toEqual([0, 0.5]);
    expect(layoutBars({ labels: ["a", "b"], values: [0.1] }).bars).toHaveLength(1);
    expect(layoutBars({ labels: [], values: [] }).bars).toEqual([]);
  });
});
