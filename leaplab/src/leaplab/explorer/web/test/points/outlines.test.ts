import { expect, it } from "vitest";
import { outlinesOf } from "../../src/points/outlines";

/** Numbers in [0, 1), the same in every run (Park and Miller, 1988). */
function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 16807) % 2147483647;
    return state / 2147483647;
  };
}

/** Points of a bell around (x, y). */
function bell(count: number, x: number, y: number, width: number, next: () => number): number[] {
  return Array.from({ length: count }, () => {
    const [far, turn] = [width * Math.sqrt(-2 * Math.log(1 - next())), 2 * Math.PI * next()];
    return [x + far * Math.cos(turn), y + far * Math.sin(turn)];
  }).flat();
}

/** Whether a ray to the right crosses the line an odd number of times. */
function isInside(segments: Float32Array, x: number, y: number): boolean {
  let inside = false;
  for (let at = 0; at < segments.length; at += 4) {
    const [x0, y0, x1, y1] = segments.subarray(at, at + 4) as unknown as [number, number, number, number];
    if (y0 > y !== y1 > y && x < ((x1 - x0) * (y - y0)) / (y1 - y0) + x0) inside = !inside;
  }
  return inside;
}

function shareInside(segments: Float32Array, points: ArrayLike<number>): number {
  let inside = 0;
  for (let at = 0; at < points.length; at += 2) inside += isInside(segments, points[at]!, points[at + 1]!) ? 1 : 0;
  return inside / (points.length / 2);
}

it.each([1, 2, 3])("goes around nine tenths of each category and closes (seed %d)", (seed) => {
  const next = uniform(seed);
  const [cats, dogs] = [bell(3000, -0.5, 0.4, 0.06, next), bell(300, 0.6, -0.5, 0.1, next)];
  const xy = Float32Array.from([...cats, ...dogs, -1, -1, 1, 1]);
  const codes = [...Array<number>(3000).fill(0), ...Array<number>(300).fill(1), -1, 2];
  const outlines = outlinesOf(xy, codes, ["cat", "dog"], null);
  expect(outlines.map(({ text }) => text)).toEqual(["cat", "dog"]);
  for (const [which, points, others] of [
    [0, cats, dogs],
    [1, dogs, cats],
  ] as const) {
    const { segments } = outlines[which]!;
    expect(shareInside(segments, points)).toBeGreaterThan(0.85);
    expect(shareInside(segments, points)).toBeLessThan(0.999);
    expect(shareInside(segments, others)).toBe(0);
    const ends = new Map<string, number>();
    for (let at = 0; at < segments.length; at += 2) {
      const end = `${segments[at]!.toFixed(5)} ${segments[at + 1]!.toFixed(5)}`;
      ends.set(end, (ends.get(end) ?? 0) + 1);
    }
    expect([...ends.values()].every((count) => count % 2 === 0)).toBe(true);
  }
});

it("goes around each island of one that falls apart, and not around what lies between", () => {
  const next = uniform(5);
  const islands = [...bell(500, -0.7, 0, 0.05, next), ...bell(500, 0.7, 0, 0.05, next)];
  const { segments } = outlinesOf(Float32Array.from(islands), new Uint8Array(1000), ["cat"], null)[0]!;
  expect([isInside(segments, -0.7, 0), isInside(segments, 0, 0), isInside(segments, 0.7, 0)]).toEqual([
    true,
    false,
    true,
  ]);
});

it("heeds what is shown and has a place, and draws no line around nothing", () => {
  const xy = Float32Array.from([-1, -1, 1, 1, NaN, NaN]);
  const [around] = outlinesOf(xy, [0, 0, 0], ["cat", "dog"], Uint8Array.from([0, 1, 1]));
  expect(isInside(around!.segments, 1, 1)).toBe(true);
  expect(isInside(around!.segments, -1, -1)).toBe(false);
  expect(outlinesOf(xy, [1, 1, 1], ["cat", "dog"], null).map(({ text }) => text)).toEqual(["dog"]);
});
