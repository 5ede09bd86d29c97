import { expect, it } from "vitest";
import { PointGrid } from "../../src/points/grid";
import { contains, rowsInside } from "../../src/points/region";

/** Numbers in [0, 1), the same in every run (Park and Miller, 1988). */
function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 16807) % 2147483647;
    return state / 2147483647;
  };
}

function scattered(samples: number, seed: number): Float32Array {
  const next = uniform(seed);
  return Float32Array.from({ length: 2 * samples }, () => 2 * next() - 1);
}

const everywhere = (): boolean => true;

/** The answer of looking at every point. */
function slowTopmost(
  xy: Float32Array,
  x: number,
  y: number,
  radii: ArrayLike<number>,
  ranks: ArrayLike<number>,
  shown: (row: number) => boolean,
  slack: number,
): number | null {
  const edges = Array.from({ length: xy.length / 2 }, (_, row) => ({
    row,
    edge: Math.hypot(xy[2 * row]! - x, xy[2 * row + 1]! - y) - radii[row]!,
  })).filter(({ row }) => shown(row));
  const covering = edges.filter(({ edge }) => edge <= 0).sort((a, b) => ranks[b.row]! - ranks[a.row]!);
  if (covering.length) return covering[0]!.row;
  const near = edges.filter(({ edge }) => edge <= slack).sort((a, b) => a.edge - b.edge);
  return near[0]?.row ?? null;
}

it.each([1, 2, 50, 5000])("gives the topmost of %d points as looking at all of them does", (samples) => {
  const next = uniform(samples + 7);
  const xy = scattered(samples, samples);
  const radii = Float32Array.from({ length: samples }, () => 0.002 + 0.05 * next() ** 3);
  const ranks = Float64Array.from({ length: samples }, () => next());
  const hidden = Uint8Array.from({ length: samples }, () => (samples > 2 && next() < 0.3 ? 1 : 0));
  const largest = radii.reduce((most, radius) => Math.max(most, radius));
  const grid = new PointGrid(xy);
  let hits = 0;
  for (let attempt = 0; attempt < 300; attempt++) {
    // Half of the places are on a point, and some lie outside of all.
    const row = Math.floor(next() * samples);
    const [x, y] =
      attempt % 2 ? [xy[2 * row]! + 0.01 * next(), xy[2 * row + 1]!] : [3 * next() - 1.5, 3 * next() - 1.5];
    const shown = (one: number): boolean => !hidden[one];
    const found = grid.topmost(
      x,
      y,
      (one) => radii[one]!,
      largest,
      (one) => ranks[one]!,
      shown,
      0.004,
    );
    expect(found).toBe(slowTopmost(xy, x, y, radii, ranks, shown, 0.004));
    hits += found === null ? 0 : 1;
  }
  expect(hits).toBeGreaterThan(samples > 2 ? 50 : 0);
});

it("knows nothing of points without a place", () => {
  const grid = new PointGrid(Float32Array.from([NaN, NaN, 0.5, 0.5, Infinity, 0]));
  const seen: number[] = [];
  grid.visit(-1, -1, 1, 1, (row) => seen.push(row));
  expect(seen).toEqual([1]);
});

it("finds the points inside of what is drawn around them", () => {
  const xy = scattered(3000, 3);
  const grid = new PointGrid(xy);
  const rows = rowsInside(grid, xy, [-0.5, -0.5, 0.25, -0.5, 0.25, 0.75, -0.5, 0.75], everywhere);
  const expected = Array.from({ length: 3000 }, (_, row) => row).filter((row) => {
    const [x, y] = [xy[2 * row]!, xy[2 * row + 1]!];
    return x > -0.5 && x < 0.25 && y > -0.5 && y < 0.75;
  });
  expect(rows).toEqual(expected);
  expect(rows.length).toBeGreaterThan(500);
  expect(rowsInside(grid, xy, [-0.5, -0.5, 0.25, -0.5, 0.25, 0.75, -0.5, 0.75], (row) => row % 2 === 0)).toEqual(
    expected.filter((row) => row % 2 === 0),
  );
});

it("takes a line that crosses itself as even-odd, and no line for a region", () => {
  const star = [0, 1, 0.6, -0.8, -0.95, 0.3, 0.95, 0.3, -0.6, -0.8];
  expect(contains(star, 0, 0)).toBe(false); // its middle is crossed twice
  expect(contains(star, 0, 0.6)).toBe(true);
  expect(contains(star, 0, 1.2)).toBe(false);
  const xy = scattered(10, 1);
  expect(rowsInside(new PointGrid(xy), xy, [0, 0, 1, 1], everywhere)).toEqual([]);
});
