import { describe, expect, it } from "vitest";
import { between, moved, type Region, resized } from "../../src/state/region";

const close = (region: readonly number[]): unknown[] => region.map((side) => expect.closeTo(side, 9));

describe("a region of a picture", () => {
  it("lies between two corners, whichever was first, and ends with the picture", () => {
    expect(between([0.6, 0.2], [0.1, 0.7])).toEqual([0.1, 0.2, 0.6, 0.7]);
    expect(between([0.5, 0.5], [1.4, -3])).toEqual([0.5, 0, 1, 0.5]);
  });

  it("is no region where it has hardly any width or height", () => {
    expect(between([0.5, 0.5], [0.51, 0.9])).toBeNull();
    expect(between([0.2, 0.5], [0.9, 0.5])).toBeNull();
  });

  it("keeps its size when it is moved to an edge, and its corner when it is resized", () => {
    const region: Region = [0.2, 0.3, 0.5, 0.9];
    expect(moved(region, 0.05, -0.05)).toEqual(close([0.25, 0.25, 0.55, 0.85]));
    expect(moved(region, -1, 1)).toEqual(close([0, 0.4, 0.3, 1]));
    expect(resized(region, 0.1, -0.1)).toEqual(close([0.2, 0.3, 0.6, 0.8]));
    expect(resized(region, -1, 1)).toEqual(close([0.2, 0.3, 0.22, 1]));
  });
});
