import { expect, it } from "vitest";
import { labelsOf, uncovered } from "../../src/points/labels";

it("a category is named where most of it lies, not between its islands", () => {
  const island = (x: number, y: number, count: number): number[] =>
    Array.from({ length: count }, (_, i) => [x + 0.001 * (i % 3), y]).flat();
  const xy = Float32Array.from([...island(-0.9, 0.9, 30), ...island(0.9, -0.9, 10), ...island(0.5, 0.5, 5)]);
  const codes = [...Array<number>(40).fill(0), ...Array<number>(5).fill(1)];
  const [cat, dog] = labelsOf(xy, codes, ["cat", "dog"], null);
  expect(cat).toEqual({ text: "cat", x: expect.closeTo(-0.899, 3), y: expect.closeTo(0.9, 5), count: 40 });
  expect(dog).toEqual({ text: "dog", x: expect.closeTo(0.501, 2), y: expect.closeTo(0.5, 5), count: 5 });
});

it("what is hidden, has no place, or is no category has no say", () => {
  const xy = Float32Array.from([-1, -1, 1, 1, NaN, NaN, 1, 1]);
  expect(labelsOf(xy, [0, 0, 1, 2], ["cat", "dog"], Uint8Array.from([0, 1, 1, 1]))).toEqual([
    { text: "cat", x: 1, y: 1, count: 1 },
  ]);
});

it("of two names that overlap, the one of more points is drawn, and what it hid hides nothing", () => {
  const [first, over, touching, behind] = [
    [0, 0, 50, 16],
    [40, 8, 50, 16],
    [50, 0, 30, 16],
    [85, 20, 40, 16],
  ] as const;
  expect(uncovered([first, over, touching, behind])).toEqual([true, false, true, true]);
  expect(uncovered([over, first, touching])).toEqual([true, false, false]);
  expect(uncovered([])).toEqual([]);
});
