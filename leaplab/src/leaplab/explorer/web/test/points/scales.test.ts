import { describe, expect, it } from "vitest";
import type { Scale } from "../../src/api/client";
import { type CategoricalValues, type ContinuousValues, decodeNumbers } from "../../src/api/values";
import {
  CATEGORICAL,
  colourPosition,
  drawOrder,
  encodeColour,
  encodeSize,
  MISSING,
  OTHER,
  palette,
  pointStyle,
  position,
  rarestOnTop,
  rowColours,
  SIZE_LEVELS,
  selectedOnTop,
  sequential,
  sizeFactors,
  slotCounts,
  visibleMask,
} from "../../src/points/scales";
import { column } from "../run";

const categorical = (codes: number[], categories: string[]): CategoricalValues => ({
  kind: "categorical",
  column: column("metadata.label", "categorical", categories),
  codes: Int32Array.from(codes),
});
const between = (low: number, high: number, crowd: Scale["crowd"] = null, median = (low + high) / 2): Scale => ({
  ...{ low, high, median, crowd },
  ...{ min: low, max: high, absent: 0 },
});
/** As the server sends them: places between the ends, 65,535 for NaN. */
function continuous(values: number[], scale: Scale): ContinuousValues {
  const places = values.map((value) =>
    Number.isNaN(value) ? 65_535 : Math.round((65_534 * (value - scale.low)) / (scale.high - scale.low)),
  );
  return decodeNumbers(Uint16Array.from(places).buffer, column("loss.ce", "continuous"), scale, values.length);
}

describe("colour of a continuous column", () => {
  it("runs from the first colour to the last, and keeps one for absent values", () => {
    const values = [NaN, ...Array.from({ length: 999 }, (_, i) => i)];
    const encoding = encodeColour(continuous(values, between(0, 998)), 1000);
    const colours = palette(encoding, "light");
    if (encoding.kind !== "continuous") throw new Error("not continuous");
    expect(colours[encoding.codes[0]!]).toBe(colours.at(-1));
    expect([encoding.codes[1], encoding.codes[999]]).toEqual([0, 255]);
    expect(encoding.codes[500]).toBeCloseTo(127.5, -1);
  });

  it("is stretched by a cube root where the values crowd at one end", () => {
    const low = between(0, 1, "low");
    expect([0, 0.008, 1].map((value) => colourPosition(value, low))).toEqual([0, expect.closeTo(0.2, 10), 1]);
    expect(colourPosition(0.992, between(0, 1, "high"))).toBeCloseTo(0.8, 10);
    const encoding = encodeColour(continuous([0.008], low), 1);
    expect(encoding.codes[0]).toBe(51);
  });

  it("is in the middle where all values are equal", () => {
    expect(position(5, { low: 5, high: 5 })).toBe(0.5);
  });
});

describe("colour of a categorical column", () => {
  it("gives each category its own, with counts and an entry for absent values", () => {
    const encoding = encodeColour(categorical([0, 1, 1, -1], ["cat", "dog"]), 4);
    if (encoding.kind !== "categorical") throw new Error("not categorical");
    expect(encoding.entries).toEqual([
      { key: "cat", label: "cat", count: 1 },
      { key: "dog", label: "dog", count: 2 },
      { key: MISSING, label: "absent", count: 1 },
    ]);
    expect([...encoding.codes]).toEqual([0, 1, 1, 2]);
    expect(new Set(palette(encoding, "dark")).size).toBe(3);
  });

  it("keeps the most frequent of many categories in their order, and groups the others", () => {
    const names = Array.from({ length: 30 }, (_, i) => `c${i}`);
    const codes = names.flatMap((_, code) => new Array<number>(code + 1).fill(code));
    const encoding = encodeColour(categorical(codes, names), codes.length);
    if (encoding.kind !== "categorical") throw new Error("not categorical");
    expect(encoding.entries.map((entry) => entry.key)).toEqual([...names.slice(20), OTHER]);
    expect(encoding.entries.at(-1)).toEqual({ key: OTHER, label: "20 others", count: 210 });
    expect(encoding.codes[0]).toBe(10);
    expect(encoding.entries[encoding.codes.at(-1)!]!.key).toBe("c29");
  });

  it("that has an order runs along one scale", () => {
    const values = categorical([0, 1, 2], ["1", "2", "4"]);
    const encoding = encodeColour({ ...values, column: { ...values.column, meaning: "ordinal" } }, 3);
    expect(palette(encoding, "light")).toEqual([0, 0.5, 1].map((t) => sequential(t, "light")));
  });

  it("of no column is one colour", () => {
    const encoding = encodeColour(null, 3);
    expect([...encoding.codes]).toEqual([0, 0, 0]);
    expect(palette(encoding, "light")).toHaveLength(1);
  });
});

describe("sizes", () => {
  it("grow in area with the value, and absent values are small", () => {
    expect([...encodeSize(continuous([NaN, 0, 0.5, 1], between(0, 1)))]).toEqual([
      0,
      0,
      expect.any(Number),
      SIZE_LEVELS - 1,
    ]);
    const areas = [...sizeFactors(Uint8Array.from({ length: SIZE_LEVELS }, (_, level) => level))].map(
      (factor) => factor ** 2,
    );
    const steps = areas.slice(1).map((area, i) => area - areas[i]!);
    for (const step of steps) expect(step).toBeCloseTo(steps[0]!, 5);
  });

  it("put the largest on top, equal ones in row order", () => {
    expect([...drawOrder(Uint8Array.from([5, 0, 23, 0, 5]))]).toEqual([1, 3, 0, 4, 2]);
  });

  it("of one kind leave the values far from the median on top", () => {
    expect([...rarestOnTop(continuous([0, 1, 1, NaN, 1, 0], between(0, 1, null, 1)))]).toEqual([1, 2, 3, 4, 0, 5]);
  });

  it("and opacity fall with the number of points within bounds that can be seen", () => {
    const [few, many, most] = [pointStyle(100), pointStyle(70_000), pointStyle(1_000_000)];
    expect(few.size).toBeGreaterThan(many.size);
    expect(many.size).toBeGreaterThan(most.size);
    expect(most.size).toBeGreaterThanOrEqual(1);
    expect(most.opacity).toBeGreaterThan(0.3);
  });

  it.each([70_000, 1_000_000])("shrink from afar, and grow nearby (%d points)", (samples) => {
    const styles = [1 / 16, 1 / 4, 1, 4, 16].map((zoom) => pointStyle(samples, zoom));
    for (const [at, style] of styles.slice(1).entries()) {
      expect(style.size).toBeGreaterThan(styles[at]!.size);
      expect(style.opacity).toBeGreaterThanOrEqual(styles[at]!.opacity);
    }
    expect(styles[0]!.size).toBeCloseTo(styles[2]!.size / 16, 10);
    expect(pointStyle(samples, 1e6).size).toBeLessThanOrEqual(8);
  });
});

it("rows that are not selected are faint", () => {
  const selection = Uint8Array.from([1, 0]);
  const painted = rowColours(Uint16Array.from([0, 0]), ["#3b78d8"], "light", selection);
  expect([...painted.slice(0, 4)]).toEqual([59, 120, 216, 255]);
  expect(painted[7]).toBeLessThan(100);
  const [red, green, blue] = painted.slice(4, 7);
  expect(Math.max(red!, green!, blue!) - Math.min(red!, green!, blue!)).toBeLessThan(30);
});

it("selected rows are drawn last, all in the order that they were in", () => {
  const selection = Uint8Array.from([0, 1, 0, 1, 0]);
  expect([...selectedOnTop(null, selection)]).toEqual([0, 2, 4, 1, 3]);
  expect([...selectedOnTop(Uint32Array.from([4, 3, 2, 1, 0]), selection)]).toEqual([4, 2, 0, 3, 1]);
});

it("colours of rows are the bytes of their codes' colours", () => {
  expect([...rowColours(Uint16Array.from([1, 0]), ["#3b78d8", "#ff00a2"], "light")]).toEqual([
    255, 0, 162, 255, 59, 120, 216, 255,
  ]);
});

describe("visibleMask", () => {
  const filters = [
    { codes: [0, 0, 1, 1], hidden: [false, true] },
    { codes: [0, 2, 2, 0], hidden: [false, false, true] },
  ];
  it("keeps the rows that no filter hides", () => {
    expect(visibleMask(4, filters)).toEqual({ mask: Uint8Array.from([1, 0, 0, 0]), count: 1 });
    expect(visibleMask(4, filters.slice(1))).toEqual({ mask: Uint8Array.from([1, 0, 0, 1]), count: 2 });
  });
  it("is null where nothing is hidden", () => {
    expect(visibleMask(4, [{ codes: [0, 0, 0, 0], hidden: [false] }])).toBeNull();
  });
});

// Independent of the scales' own code: sRGB to OKLab (Ottosson, 2020), colour vision by Machado et al. (2009), severity 1.
function linear(hex: string): number[] {
  return [1, 3, 5].map((at) => {
    const c = parseInt(hex.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
}
const times = (m: number[][], v: number[]): number[] => m.map((row) => row.reduce((sum, x, i) => sum + x * v[i]!, 0));
function oklab(rgb: number[]): number[] {
  const cones = times(
    [
      [0.4122214708, 0.5363325363, 0.0514459929],
      [0.2119034982, 0.6806995451, 0.1073969566],
      [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    rgb,
  );
  return times(
    [
      [0.2104542553, 0.793617785, -0.0040720468],
      [1.9779984951, -2.428592205, 0.4505937099],
      [0.0259040371, 0.7827717662, -0.808675766],
    ],
    cones.map((c) => Math.cbrt(Math.max(0, c))),
  );
}
const PROTAN = [
  [0.152286, 1.052583, -0.204868],
  [0.114503, 0.786281, 0.099216],
  [-0.003882, -0.048116, 1.051998],
];
const DEUTAN = [
  [0.367322, 0.860646, -0.227968],
  [0.280085, 0.672501, 0.047413],
  [-0.01182, 0.04294, 0.968881],
];
const clip = (v: number[]): number[] => v.map((x) => Math.min(1, Math.max(0, x)));

function leastDistance(colours: readonly string[], vision: number[][] | null): number {
  const labs = colours.map((hex) => oklab(vision ? clip(times(vision, linear(hex))) : linear(hex)));
  return Math.min(...labs.flatMap((a, i) => labs.slice(i + 1).map((b) => Math.hypot(...a.map((x, k) => x - b[k]!)))));
}

/** WCAG 2.2, relative luminance and contrast ratio. */
function contrast(a: string, b: string): number {
  const [dark, light] = [a, b]
    .map((hex) => linear(hex).reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i]!, 0.05))
    .sort((one, other) => one - other);
  return light! / dark!;
}

describe("the palette", () => {
  it.each([
    ["light", "#ffffff"],
    ["dark", "#14161b"],
  ] as const)("of %s has ten colours that all readers tell apart, and that stand out from %s", (theme, ground) => {
    const colours = CATEGORICAL[theme];
    expect(new Set(colours).size).toBe(10);
    expect(leastDistance(colours, null)).toBeGreaterThan(0.17);
    for (const vision of [PROTAN, DEUTAN]) expect(leastDistance(colours, vision)).toBeGreaterThan(0.1);
    const grey = encodeColour(categorical([0, -1], ["cat"]), 2);
    const many = encodeColour(
      categorical(
        [],
        Array.from({ length: 12 }, (_, i) => `c${i}`),
      ),
      0,
    );
    for (const colour of [...colours, ...palette(grey, theme), ...palette(many, theme)]) {
      expect(contrast(colour, ground), colour).toBeGreaterThanOrEqual(3);
    }
  });

  it.each(["light", "dark"] as const)("runs evenly in lightness on %s", (theme) => {
    const lightness = Array.from({ length: 21 }, (_, i) => oklab(linear(sequential(i / 20, theme)))[0]!);
    const steps = lightness.slice(1).map((value, i) => value - lightness[i]!);
    const mean = (lightness.at(-1)! - lightness[0]!) / 20;
    expect(Math.sign(mean)).toBe(theme === "dark" ? 1 : -1);
    expect(Math.abs(mean)).toBeGreaterThan(0.025);
    for (const step of steps) expect(Math.abs(step - mean)).toBeLessThan(0.3 * Math.abs(mean));
  });
});

describe("slotCounts", () => {
  const slots = [0, 1, 1, 2, 1];

  it("counts the samples of each slot", () => {
    expect(slotCounts(slots, null, 4)).toEqual([1, 3, 1, 0]);
  });

  it("leaves out the samples of hidden states", () => {
    const states = { codes: [0, 0, 1, 1, 0], hidden: [false, true] };
    expect(slotCounts(slots, states, 4)).toEqual([1, 2, 0, 0]);
  });
});
