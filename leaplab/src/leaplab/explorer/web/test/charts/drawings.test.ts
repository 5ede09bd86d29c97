import { describe, expect, it } from "vitest";
import type { Chart } from "../../src/api/charts";
import { drawBars } from "../../src/charts/bar-chart";
import { drawBoxes } from "../../src/charts/box-chart";
import { drawConfusion, drawCorrelation, drawHeatmap, mixed } from "../../src/charts/cells-chart";
import { rowsOf } from "../../src/charts/chart-table";
import { isEmpty } from "../../src/charts/chart-view";
import { drawCurves } from "../../src/charts/curve-chart";
import { nextMark } from "../../src/charts/figure";
import { drawCalibration, drawLines } from "../../src/charts/line-chart";
import { cut, INK, inkOn, type Placed, type Room, seriesColours, textWidth } from "../../src/charts/room";
import { drawGroupMeans, drawScatter, trend } from "../../src/charts/scatter-chart";
import { CATEGORICAL } from "../../src/points/scales";
import { makeChart, mark } from "./charts";

function room(chart: Chart, patch: Partial<Room> = {}): Room {
  const colour = seriesColours(chart.series, undefined, "light");
  return { chart, size: { width: 400, height: 240 }, ink: INK.light, theme: "light", colour, isLog: false, ...patch };
}

const number = (placed: Placed, name: string): number => Number(placed.shape.with[name]);

describe("bars", () => {
  const groups = [
    mark({ x: "a", value: 2, low: 1, high: 3 }),
    mark({ x: "b", value: 4 }),
    mark({ x: "c", value: null }),
  ];

  it("are as high as their values, from zero on, and none is of nothing", () => {
    const { marks } = drawBars(room(makeChart("bar", groups)));
    expect(marks.length).toBe(2);
    expect(number(marks[1]!, "height") / number(marks[0]!, "height")).toBeCloseTo(2, 6);
    expect(number(marks[0]!, "y") + number(marks[0]!, "height")).toBeCloseTo(
      number(marks[1]!, "y") + number(marks[1]!, "height"),
      6,
    );
    expect(marks[0]!.words).toBe("a: mean 2 (1 to 3), 1 sample");
  });

  it("hang below zero where they are less", () => {
    const { marks } = drawBars(room(makeChart("bar", [mark({ x: "a", value: -2 }), mark({ x: "b", value: 2 })])));
    expect(number(marks[0]!, "y")).toBeCloseTo(number(marks[1]!, "y") + number(marks[1]!, "height"), 6);
  });

  it("lie where their names are long, and need as much height as they are many", () => {
    const names = Array.from({ length: 30 }, (_, at) => `a long name of category ${at}`);
    const drawing = drawBars(
      room(
        makeChart(
          "bar",
          names.map((x, at) => mark({ x, value: at })),
        ),
      ),
    );
    expect(drawing.marks.length).toBe(30);
    expect(drawing.needed).toBeGreaterThan(500);
    const [first, last] = [drawing.marks[0]!, drawing.marks[29]!];
    expect(number(last, "y")).toBeGreaterThan(number(first, "y"));
    expect(number(last, "width")).toBeGreaterThan(number(drawing.marks[10]!, "width"));
  });

  it("of several series stand side by side in their colours", () => {
    const of = ["u", "v"].flatMap((series) => ["a", "b"].map((x) => mark({ x, series, value: 1 })));
    const { marks } = drawBars(room(makeChart("bar", of, { series: ["u", "v"] })));
    const [au, bu, av] = marks as [Placed, Placed, Placed];
    expect(number(av, "x")).toBeGreaterThanOrEqual(number(au, "x") + number(au, "width"));
    expect(number(bu, "x")).toBeGreaterThan(number(av, "x"));
    expect([au.shape.with.fill, av.shape.with.fill]).toEqual([CATEGORICAL.light[0], CATEGORICAL.light[1]]);
  });

  it("of ranges are as wide as these, but for what is gathered beyond the axis", () => {
    const bins = [
      [0, 1],
      [1, 3],
      [3, 100],
    ].map(([x_low, x_high]) => mark({ x: 0.5, x_low: x_low!, x_high: x_high!, value: 1 }));
    const chart = makeChart("histogram", bins);
    chart.x_axis = { ...chart.x_axis, low: 0, high: 4 };
    const { marks, brush } = drawBars(room(chart));
    const widths = marks.map((each) => number(each, "width") + 1);
    expect(widths[1]! / widths[0]!).toBeCloseTo(2, 1);
    expect(widths[2]! / widths[0]!).toBeCloseTo(1, 1);
    expect(brush!.x(number(marks[1]!, "x") - 0.5)).toBeCloseTo(1, 6);
  });
});

it("lines go through the means of their ranges, and can be brushed", () => {
  const groups = [1, 2, 4].map((x) => mark({ x, x_low: x - 0.5, x_high: x + 0.5, value: 3 * x }));
  const { marks, brush } = drawLines(room(makeChart("line", groups)));
  expect(marks.map(({ at }) => Math.round(brush!.x(at[0]) * 1000) / 1000)).toEqual([1, 2, 4]);
  expect(marks[0]!.words).toContain("0.5 to 1.5");
});

it("a scatter finds the point that is meant, and draws a path a series", () => {
  const points = { rows: [7, 8, 9], x: [0, 5, 10], y: [0, 5, 10], series: [0, 1, 0], count: 3 };
  const chart = makeChart("scatter", [], { points, series: ["u", "v"], y: "loss.a" });
  const drawing = drawScatter(room(chart));
  const { brush, plot } = drawing;
  const pixels = Array.from({ length: 400 }, (_, pixel) => pixel);
  const nearest = (to: (pixel: number) => number): number =>
    pixels.reduce((best, pixel) => (Math.abs(to(pixel) - 5) < Math.abs(to(best) - 5) ? pixel : best));
  const [left, top] = [nearest(brush!.x), nearest(brush!.y!)];
  expect(drawing.pointAt!(left, top)?.row).toBe(8);
  expect(drawing.pointAt!(left + 60, top)).toBeNull();
  expect(brush!.x(plot.left)).toBeCloseTo(0, 6);
  expect(brush!.y!(plot.top + plot.height)).toBeCloseTo(0, 6);
});

it("group means lie at their means, and the line among them is that of least squares", () => {
  const groups = ["a", "b", "c"].map((name, at) => mark({ name, x: at, value: 2 * at + 1 }));
  const { marks } = drawGroupMeans(room(makeChart("group-means", groups, { split: "metadata.label" })));
  expect(marks.map(({ at }) => at[0]).toSorted((a, b) => a - b)).toEqual(marks.map(({ at }) => at[0]));
  expect(marks[2]!.at[1]).toBeLessThan(marks[0]!.at[1]);
  expect(
    trend([
      [0, 1],
      [1, 3],
      [2, 5],
    ]),
  ).toEqual({ slope: 2, start: 1 });
  expect(
    trend([
      [0, 0],
      [1, 2],
      [2, 1],
    ])!.slope,
  ).toBeCloseTo(0.5, 12);
  expect(
    trend([
      [1, 0],
      [1, 2],
      [1, 1],
    ]),
  ).toBeNull();
});

it("boxes reach from quartile to quartile", () => {
  const groups = [mark({ x: "a", value: 3, box: [0, 2, 3, 4, 8] }), mark({ x: "b", value: 3, box: [0, 1, 3, 5, 8] })];
  const { marks } = drawBoxes(room(makeChart("box", groups)));
  expect(number(marks[1]!, "height") / number(marks[0]!, "height")).toBeCloseTo(2, 6);
  expect(marks[0]!.words).toContain("half of them from 2 to 4");
});

describe("cells", () => {
  const axis = (categories: string[]): Chart["x_axis"] => ({
    ...{ label: "l", type: "category", column: null, low: null, high: null },
    categories,
  });

  it("of a confusion matrix have the true labels from the top, and what is right in another colour", () => {
    const groups = [
      mark({ x: "a", y: "a", value: 0.9, count: 9 }),
      mark({ x: "b", y: "a", value: 0.1, count: 1 }),
      mark({ x: "b", y: "b", value: 1, count: 5 }),
    ];
    const { marks, isGrid } = drawConfusion(
      room(makeChart("confusion", groups, { x_axis: axis(["a", "b"]), y_axis: axis(["a", "b"]) })),
    );
    expect(isGrid).toBe(true);
    expect(marks[0]!.at[1]).toBeLessThan(marks[2]!.at[1]);
    expect(marks[1]!.at[0]).toBe(marks[2]!.at[0]);
    expect(marks[1]!.words).toBe("a taken for b: 1 sample, 10 % of a");
    expect(new Set(marks.map(({ shape }) => shape.with.fill)).size).toBe(3);
  });

  it("of two numbers lie at their edges", () => {
    const groups = [
      mark({ x_low: 0, x_high: 1, y_low: 0, y_high: 1 }),
      mark({ x_low: 1, x_high: 3, y_low: 1, y_high: 2 }),
    ];
    const chart = makeChart("heatmap", groups, { aggregate: "count", x: "a", y: "b" });
    const { marks } = drawHeatmap(room(chart));
    expect((number(marks[1]!, "width") + 1) / (number(marks[0]!, "width") + 1)).toBeCloseTo(2, 6);
    expect(marks[1]!.at[1]).toBeLessThan(marks[0]!.at[1]);
  });

  it("of correlations are a list with one column, else a matrix", () => {
    const list = [mark({ x: "a", y: "loss", value: 0.5 }), mark({ x: "b", y: "loss", value: -0.5 })];
    const [up, down] = drawCorrelation(room(makeChart("correlation", list))).marks as [Placed, Placed];
    expect(number(up, "x")).toBeCloseTo(number(down, "x") + number(down, "width"), 6);
    const pairs = [mark({ x: "a", y: "a", value: 1 }), mark({ x: "b", y: "c", value: -1 })];
    const matrix = makeChart("correlation", pairs, { x_axis: axis(["a", "b"]), y_axis: axis(["a", "c"]) });
    expect(drawCorrelation(room(matrix)).isGrid).toBe(true);
  });
});

it("curves leave their gaps, and mark the threshold and the best one", () => {
  const outcome = {
    ...{ name: "all", threshold: 0.4, true_positives: 8, false_positives: 2, false_negatives: 2 },
    ...{ true_negatives: null, precision: 0.8, recall: 0.8, f1: 0.8 },
  };
  const curves = [{ name: "all", x: [0, 0.5, 1], y: [1, null, 0.5], threshold: [0.9, 0.5, 0.1], series: null }];
  const chart = makeChart("precision-recall", [], {
    curves,
    outcomes: [outcome],
    best: [{ ...outcome, threshold: 0.3, recall: 0.5 }],
  });
  const { marks } = drawCurves(room(chart));
  expect(marks.map(({ words }) => words.split(":")[0])).toEqual([
    "all where F1 is highest 0.3",
    "all at the threshold 0.4",
  ]);
  expect(marks[1]!.at[0]).toBeGreaterThan(marks[0]!.at[0]);
  const calibration = makeChart("calibration", [mark({ x: 0.5, x_low: 0.4, x_high: 0.6, value: 0.5 })]);
  const { marks: dots, plot } = drawCalibration(room(calibration));
  expect((dots[0]!.at[0] - plot.left) / plot.width).toBeCloseTo(0.5, 6);
});

describe("the arrow keys", () => {
  const at = (x: number, y: number): { at: [number, number] } => ({ at: [x, y] });
  const grid = [at(0, 0), at(1, 0), at(0, 1), at(1, 1)];

  it("go from mark to mark in their order", () => {
    expect(nextMark(grid, 1, "ArrowRight", false)).toBe(2);
    expect(nextMark(grid, 0, "ArrowLeft", false)).toBeNull();
    expect(nextMark(grid, 2, "Home", false)).toBe(0);
    expect(nextMark(grid, 0, "End", false)).toBe(3);
    expect(nextMark(grid, 0, "a", false)).toBeNull();
    expect(nextMark([], 0, "Home", false)).toBeNull();
  });

  it("go to the neighbour in a grid", () => {
    expect(nextMark(grid, 0, "ArrowDown", true)).toBe(2);
    expect(nextMark(grid, 3, "ArrowUp", true)).toBe(1);
    expect(nextMark(grid, 3, "ArrowRight", true)).toBeNull();
  });
});

describe("colours", () => {
  it("are the map's where it has some, and others where it has none", () => {
    const colour = seriesColours(["a", "z", "all", "others"], new Map([["a", CATEGORICAL.dark[0]!]]), "dark");
    expect(colour("a")).toBe(CATEGORICAL.dark[0]);
    expect(colour("z")).toBe(CATEGORICAL.dark[1]);
    expect(colour("all")).toBe(INK.dark.text);
    expect(colour("others")).toBe(INK.dark.other);
    expect(colour(null)).toBe(INK.dark.mark);
  });

  it("are mixed channel by channel, with ink that can be read on them", () => {
    expect(mixed("#000000", "#ff8040", 0.5)).toBe("#804020");
    expect([inkOn("#ffffff"), inkOn("#0f3c78")]).toEqual(["#000000", "#ffffff"]);
  });
});

it("cuts texts that do not fit", () => {
  expect(cut("short", 100)).toBe("short");
  const kept = cut("a very long name of a category", 60);
  expect(kept.endsWith("\u2026")).toBe(true);
  expect(textWidth(kept)).toBeLessThanOrEqual(60);
});

it("tells a chart's numbers as rows", () => {
  const chart = makeChart("bar", [mark({ x: "a", value: 2, low: 1, high: 3, count: 4 })]);
  expect(rowsOf(chart)).toEqual({
    heads: ["Name", "x", "Count", "Value", "Low", "High"],
    rows: [["a", "a", 4, 2, 1, 3]],
  });
  expect(isEmpty(chart)).toBe(false);
  expect(isEmpty(makeChart("bar", [mark({ x: "a", value: null, count: 0 })]))).toBe(true);
});
