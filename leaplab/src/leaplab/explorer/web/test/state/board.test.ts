import { describe, expect, it } from "vitest";
import type { BoardChart } from "../../src/api/charts";
import { below } from "../../src/charts/ranges";
import { askedOf, boardOfText, freeName, keysOf, moved, titleOf } from "../../src/state/board";
import { chosen, filtersOf, isMarked, ranged } from "../../src/state/marking";
import { makeChart, mark } from "../charts/charts";

const label = (name: string): string => name.split(".")[1] ?? name;
const chart = (patch: Partial<BoardChart>): BoardChart => ({ kind: "bar", ...patch }) as BoardChart;

describe("a chart's title", () => {
  it.each([
    [{ x: "metadata.class_name", y: "metric.accuracy" }, "Accuracy by class name"],
    [{ x: "metadata.label" }, "Samples by label"],
    [{ x: "metadata.label", of: "objects" }, "Objects by label"],
    [{ x: "a.b", y: "c.d", split: "e.f", aggregate: "median" }, "Median of d by b, by f"],
    [{ kind: "group-means", x: "a.b", y: "c.d", split: "e.f" }, "D against b, means by f"],
    [{ kind: "confusion", label: "cat" }, "Confusion matrix of cat"],
    [{ kind: "curves" }, "Training: loss by step"],
    [{ title: "My own" }, "My own"],
  ] as const)("of %j is %s", (patch, title) => {
    expect(titleOf(chart(patch as Partial<BoardChart>), label)).toBe(title);
  });
});

describe("a board", () => {
  const charts = ["a", "b", "c"].map((x) => chart({ x }));

  it("keeps its charts when one is moved", () => {
    expect(moved(charts, 0, 1).map(({ x }) => x)).toEqual(["b", "a", "c"]);
    expect(moved(charts, 2, -1).map(({ x }) => x)).toEqual(["a", "c", "b"]);
    expect(moved(charts, 0, -1)).toEqual(charts);
    expect(keysOf(moved(charts, 0, 2)).toSorted()).toEqual(keysOf(charts).toSorted());
  });

  it("tells two equal charts apart, and a chart from itself with another title not", () => {
    expect(new Set(keysOf([charts[0]!, charts[0]!])).size).toBe(2);
    expect(keysOf([{ ...charts[0]!, title: "t", width: 2 }])).toEqual(keysOf([charts[0]!]));
    expect(keysOf([{ ...charts[0]!, y: null, of: "samples" }])).toEqual(keysOf([charts[0]!]));
    expect(keysOf([{ ...charts[0]!, y: "d" }])).not.toEqual(keysOf([charts[0]!]));
  });

  it("gets a name that is free", () => {
    expect(freeName("Mine", [])).toBe("Mine");
    expect(freeName("Mine", ["Mine", "Mine 2"])).toBe("Mine 3");
  });
});

describe("a board's file", () => {
  it("is read as it was written", () => {
    const board = { name: "Mine", charts: [{ kind: "bar", x: "a", bins: 5, width: 2 }, { kind: "curves" }] };
    expect(boardOfText(JSON.stringify(board))).toEqual(board);
    expect(boardOfText('{"name": " n ", "charts": [{"kind": "bar", "y": null}]}')).toEqual({
      name: "n",
      charts: [{ kind: "bar" }],
    });
  });

  it.each([
    ["{", "not JSON"],
    ["[]", "a name and charts"],
    ['{"name": "", "charts": []}', "no name"],
    ['{"name": "a", "charts": [1]}', "Chart 1 of this file has no kind"],
    [
      '{"name": "a", "charts": [{"kind": "bar"}, {"kind": "pie"}]}',
      "Chart 2 of this file is of the kind \u201cpie\u201d",
    ],
    ['{"name": "a", "charts": [{"kind": "bar", "colour": 1}]}', "a field \u201ccolour\u201d, which there is not"],
    ['{"name": "a", "charts": [{"kind": "bar", "x": 1}]}', "\u201cx\u201d that cannot be 1"],
    ['{"name": "a", "charts": [{"kind": "bar", "bins": 2.5}]}', "\u201cbins\u201d that cannot be 2.5"],
    ['{"name": "a", "charts": [{"kind": "bar", "width": 3}]}', "\u201cwidth\u201d that cannot be 3"],
    ['{"name": "a", "charts": [{"kind": "bar", "of": "people"}]}', "\u201cof\u201d that cannot be"],
    ['{"name": "a", "charts": [{"kind": "constructor"}]}', "constructor"],
  ])("of %s is refused in a sentence", (text, sentence) => {
    expect(() => boardOfText(text)).toThrow(sentence);
  });
});

it("asks for the samples that are shown, and with the board's threshold where there is one", () => {
  const among = { filters: [{ column: "a", keep: ["x"] }], hidden: ["test"], within: "AA==" };
  const bar = askedOf(chart({ x: "a", title: "t", width: 2 }), among, 0.3);
  expect(bar).toMatchObject({ kind: "bar", x: "a", y: null, threshold: null, ...among });
  expect(bar).not.toHaveProperty("title");
  expect(askedOf(chart({ kind: "confusion", threshold: 0.7 }), among, null).threshold).toBe(0.7);
  expect(askedOf(chart({ kind: "confusion", threshold: 0.7 }), among, 0.2).threshold).toBe(0.2);
});

describe("marks as filters", () => {
  const bars = makeChart("bar", [mark({ x: "cat" }), mark({ x: "dog" })]);
  const bins = makeChart("histogram", [mark({ x: 0.5, x_low: 0, x_high: 1 }), mark({ x: 1.5, x_low: 1, x_high: 2 })], {
    x: "loss.a",
  });
  const cat = [{ column: "metadata.label", keep: ["cat"] }];

  it("keep a category, or just the values of a range", () => {
    expect(filtersOf(bars, bars.groups[0]!)).toEqual(cat);
    expect(filtersOf(bins, bins.groups[0]!)).toEqual([{ column: "loss.a", low: 0, high: below(1) }]);
    expect(filtersOf(bins, bins.groups[1]!)).toEqual([{ column: "loss.a", low: 1, high: 2 }]);
  });

  it("of a heat-map are two, of a group its own, and of a curve none", () => {
    const cell = mark({ x: "cat", y_low: 0, y_high: 1 });
    const heat = makeChart("heatmap", [cell, mark({ x: "dog", y_low: 1, y_high: 2 })], { y: "loss.a" });
    expect(filtersOf(heat, cell)).toEqual([...cat, { column: "loss.a", low: 0, high: below(1) }]);
    const means = makeChart("group-means", [mark({ name: "cat", x: 3 })], { split: "metadata.label", x: "a", y: "b" });
    expect(filtersOf(means, means.groups[0]!)).toEqual(cat);
    expect(filtersOf(means, mark({ name: "others", x: 1 }))).toEqual([]);
    expect(filtersOf(makeChart("curves", []), mark({ name: "training" }))).toEqual([]);
    expect(filtersOf(makeChart("confusion", []), mark({ x: "cat", y: "dog" }))).toEqual([]);
  });

  it("stand out by the filters of their own columns", () => {
    const all = (filters: Parameters<typeof isMarked>[2]) => bars.groups.map((each) => isMarked(bars, each, filters));
    expect(all([])).toEqual([null, null]);
    expect(all([{ column: "loss.a", low: 1, high: null }])).toEqual([null, null]);
    expect(all(cat)).toEqual([true, false]);
    const range = [{ column: "loss.a", low: 0.5, high: 2 }];
    expect(bins.groups.map((each) => isMarked(bins, each, range))).toEqual([false, true]);
  });

  it("are switched on and off, and added to with a key", () => {
    const other = { column: "loss.a", low: 1, high: 2 };
    const dog = [{ column: "metadata.label", keep: ["dog"] }];
    expect(chosen([other], cat, false)).toEqual([other, ...cat]);
    expect(chosen([other, ...cat], cat, false)).toEqual([other]);
    expect(chosen(cat, dog, false)).toEqual(dog);
    expect(chosen(cat, dog, true)).toEqual([{ column: "metadata.label", keep: ["cat", "dog"] }]);
    expect(chosen([{ column: "metadata.label", keep: ["cat", "dog"] }], dog, true)).toEqual(cat);
    expect(chosen(cat, cat, true)).toEqual([]);
    expect(chosen([...cat, other], [...cat, { ...other, high: 3 }], false)).toEqual([...cat, { ...other, high: 3 }]);
  });

  it("of a drawn range take the place of the one before", () => {
    expect(ranged(cat, "loss.a", { low: 1, high: null })).toEqual([...cat, { column: "loss.a", low: 1, high: null }]);
    expect(ranged([{ column: "loss.a", low: 1, high: 2 }], "loss.a", { low: null, high: null })).toEqual([]);
  });
});
