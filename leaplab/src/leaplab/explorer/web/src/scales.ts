/** Values to colours and sizes. Pure: no DOM, no WebGL. */

import type { CategoricalValues, ColumnValues, ContinuousValues, Numbers } from "./api";

export type Theme = "light" | "dark";

/**
 * Twenty colours, found by a farthest-point search in OKLab over colours of moderate chroma, where the distance
 * of two is the least of what normal, protanope and deuteranope vision sees (Machado et al., 2009). The first ten
 * were spread before the others, since most columns have no more.
 */
export const CATEGORICAL: readonly string[] = [
  "#3b78d8",
  "#ffa523",
  "#b43c0a",
  "#4bdc96",
  "#e17382",
  "#824696",
  "#a58700",
  "#b4b4ff",
  "#287355",
  "#2daab9",
  "#9687fa",
  "#b44b7d",
  "#9173af",
  "#28a073",
  "#73cdd7",
  "#beaa69",
  "#d787dc",
  "#5555b9",
  "#6e8246",
  "#05c3a5",
];

const NEUTRAL: Record<Theme, { single: string; other: string; absent: string }> = {
  light: { single: "#3b78d8", other: "#9aa1ac", absent: "#c9ced6" },
  dark: { single: "#6ea0ef", other: "#7c828e", absent: "#4a505b" },
};

/** Keys of the legend entries that are no category. */
export const OTHER = "*other";
export const MISSING = "*absent";

const COLOUR_STEPS = 256;
export const SIZE_LEVELS = 24;

export interface LegendEntry {
  key: string;
  label: string;
  count: number;
}

/** `codes[row]` indexes the colours of `palette`, and in the categorical case `entries`. */
export type ColourEncoding =
  | { kind: "categorical"; codes: Uint16Array; entries: LegendEntry[]; colours: number; grouped: number }
  | ({ kind: "continuous"; codes: Uint16Array; absent: number } & Range)
  | { kind: "none"; codes: Uint16Array };

export interface Range {
  /** What the two ends of the scale stand for: the 1st and the 99th percentile, unless these coincide. */
  low: number;
  high: number;
  median: number;
  min: number;
  max: number;
  /** Which end most values crowd at; the colour scale is stretched there by a cube root. */
  crowd: "low" | "high" | null;
}

export function encodeColour(values: ColumnValues | null, samples: number): ColourEncoding {
  if (values === null) return { kind: "none", codes: new Uint16Array(samples) };
  return values.kind === "categorical" ? encodeCategories(values) : encodeContinuous(values);
}

function encodeCategories({ codes, column }: CategoricalValues): ColourEncoding {
  const categories = column.categories ?? [];
  const counts = new Array<number>(categories.length).fill(0);
  let absent = 0;
  for (const code of codes) {
    if (code >= 0 && code < counts.length) counts[code]! += 1;
    else absent += 1;
  }
  const own = categoriesWithColour(counts);
  const entries: LegendEntry[] = own.map((code) => ({
    key: categories[code]!,
    label: categories[code]!,
    count: counts[code]!,
  }));
  const slots = new Uint16Array(categories.length).fill(own.length);
  own.forEach((code, slot) => (slots[code] = slot));
  const grouped = categories.length - own.length;
  if (grouped > 0) {
    const shown = entries.reduce((sum, entry) => sum + entry.count, 0);
    entries.push({
      key: OTHER,
      label: grouped === 1 ? "1 other" : `${grouped} others`,
      count: codes.length - absent - shown,
    });
  }
  const missing = entries.length;
  if (absent > 0) entries.push({ key: MISSING, label: "absent", count: absent });
  const slotOfRow = Uint16Array.from(codes, (code) => (code >= 0 && code < slots.length ? slots[code]! : missing));
  return { kind: "categorical", codes: slotOfRow, entries, colours: own.length, grouped };
}

/** All categories where the palette suffices, else the most frequent; in the order of the column. */
function categoriesWithColour(counts: number[]): number[] {
  const all = counts.map((_, code) => code);
  if (counts.length <= CATEGORICAL.length) return all;
  return all
    .sort((a, b) => counts[b]! - counts[a]! || a - b)
    .slice(0, CATEGORICAL.length)
    .sort((a, b) => a - b);
}

function encodeContinuous({ values }: ContinuousValues): ColourEncoding {
  const range = robustRange(values);
  const codes = new Uint16Array(values.length);
  let absent = 0;
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    if (Number.isNaN(value)) absent += 1;
    codes[row] = Number.isNaN(value) ? COLOUR_STEPS : Math.round(colourPosition(value, range) * (COLOUR_STEPS - 1));
  }
  return { kind: "continuous", codes, absent, ...range };
}

/** The colours that the codes of an encoding index. */
export function palette(encoding: ColourEncoding, theme: Theme): string[] {
  const neutral = NEUTRAL[theme];
  switch (encoding.kind) {
    case "none":
      return [neutral.single];
    case "categorical":
      return encoding.entries.map(({ key }, slot) => {
        if (slot < encoding.colours) return CATEGORICAL[slot]!;
        return key === OTHER ? neutral.other : neutral.absent;
      });
    case "continuous":
      return [
        ...Array.from({ length: COLOUR_STEPS }, (_, step) => sequential(step / (COLOUR_STEPS - 1), theme)),
        neutral.absent,
      ];
  }
}

/** Red, green, blue and opacity of each row, a byte each. */
export function rowColours(codes: Uint16Array, colours: readonly string[]): Uint8Array {
  const packed = new Uint32Array(colours.length);
  const bytes = new Uint8Array(packed.buffer);
  colours.forEach((colour, slot) => {
    const rgb = parseInt(colour.slice(1), 16);
    bytes.set([rgb >> 16, (rgb >> 8) & 255, rgb & 255, 255], 4 * slot);
  });
  return new Uint8Array(Uint32Array.from(codes, (code) => packed[code]!).buffer);
}

/** Where a value lies between the ends of the range: 0 to 1, clipped; the middle where the range has no width. */
export function position(value: number, { low, high }: Pick<Range, "low" | "high">): number {
  if (high <= low) return 0.5;
  return Math.min(1, Math.max(0, (value - low) / (high - low)));
}

/** Where a value lies on the colour scale. Losses crowd near zero: drawn to scale, all but a few would share one colour. */
export function colourPosition(value: number, range: Pick<Range, "low" | "high" | "crowd">): number {
  const t = position(value, range);
  if (range.crowd === "low") return Math.cbrt(t);
  if (range.crowd === "high") return 1 - Math.cbrt(1 - t);
  return t;
}

const ranges = new WeakMap<Numbers, Range>();

/** 1st..99th percentile; the whole range where these coincide; zeros where there is no finite value. */
export function robustRange(values: Numbers): Range {
  const known = ranges.get(values);
  if (known) return known;
  const sorted = values.filter((value) => Number.isFinite(value)).sort();
  const range = rangeOf(sorted);
  ranges.set(values, range);
  return range;
}

function rangeOf(sorted: Numbers): Range {
  if (sorted.length === 0) return { low: 0, high: 0, median: 0, min: 0, max: 0, crowd: null };
  const min = sorted[0]!;
  const max = sorted.at(-1)!;
  const [p1, median, p99] = [percentile(sorted, 1), percentile(sorted, 50), percentile(sorted, 99)];
  const ends = p99 > p1 ? { low: p1, high: p99 } : { low: min, high: max };
  return { ...ends, median, min, max, crowd: crowdedEnd(sorted, median, ends) };
}

/** Null as well where nearly all values are the ends themselves, as those of an accuracy are: no stretch could help. */
function crowdedEnd(sorted: Numbers, median: number, ends: { low: number; high: number }): Range["crowd"] {
  const between = Array.from({ length: 50 }, (_, i) => percentile(sorted, 2 * i)).filter(
    (value) => value > ends.low && value < ends.high,
  );
  if (between.length < 5) return null;
  const middle = position(median, ends);
  if (middle < 0.15) return "low";
  return middle > 0.85 ? "high" : null;
}

/** The p-th percentile (0..100) of values in ascending order, linear between neighbours, as numpy's default. */
export function percentile(sorted: ArrayLike<number>, p: number): number {
  const at = ((sorted.length - 1) * p) / 100;
  const below = Math.floor(at);
  const a = sorted[below]!;
  const b = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return a + (b - a) * (at - below);
}

/** `levels[row]` is 0 (small) to SIZE_LEVELS - 1 (large); absent values are small. */
export function encodeSize(values: ContinuousValues): { levels: Uint8Array; range: Range } {
  const range = robustRange(values.values);
  const levels = Uint8Array.from(values.values, (value) =>
    Number.isNaN(value) ? 0 : Math.round(position(value, range) * (SIZE_LEVELS - 1)),
  );
  return { levels, range };
}

/** Diameter of each row in units of the base size; the area grows linearly with the level. */
export function sizeFactors(levels: Uint8Array): Float32Array {
  const factors = Array.from({ length: SIZE_LEVELS }, (_, level) => Math.sqrt(0.5 + (5.5 * level) / (SIZE_LEVELS - 1)));
  return Float32Array.from(levels, (level) => factors[level]!);
}

/** Rows by ascending level, so that the largest points are drawn last; equal levels keep their order. */
export function drawOrder(levels: Uint8Array): Uint32Array {
  const next = new Uint32Array(SIZE_LEVELS + 1);
  for (const level of levels) next[level + 1]! += 1;
  for (let level = 1; level <= SIZE_LEVELS; level++) next[level]! += next[level - 1]!;
  const order = new Uint32Array(levels.length);
  levels.forEach((level, row) => (order[next[level]!++] = row));
  return order;
}

/** Rows so that what is far from the median is drawn last: few failures among many hits must not be buried. */
export function rarestOnTop({ values }: ContinuousValues): Uint32Array {
  const range = robustRange(values);
  const middle = colourPosition(range.median, range);
  const levels = Uint8Array.from(values, (value) =>
    Number.isNaN(value) ? 0 : Math.round(Math.abs(colourPosition(value, range) - middle) * (SIZE_LEVELS - 1)),
  );
  return drawOrder(levels);
}

/**
 * Perceptually uniform sequential colour of t in [0, 1]: OKLab lightness (Ottosson, 2020) runs in a straight line while
 * the hue turns from violet over teal to yellow. High values stand out from the background: dark on light, light on dark.
 */
export function sequential(t: number, theme: Theme): string {
  const s = theme === "dark" ? t : 1 - t;
  const lightness = 0.32 + 0.56 * s;
  const chroma = 0.135 - 0.04 * Math.sin(Math.PI * s) + 0.03 * s;
  const hue = ((300 - 200 * s) * Math.PI) / 180;
  return oklabToHex(lightness, chroma * Math.cos(hue), chroma * Math.sin(hue));
}

function oklabToHex(lightness: number, a: number, b: number): string {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  const channel = (value: number): string => {
    const clipped = Math.min(1, Math.max(0, value));
    const encoded = clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * clipped ** (1 / 2.4) - 0.055;
    return Math.round(encoded * 255)
      .toString(16)
      .padStart(2, "0");
  };
  return `#${linear.map(channel).join("")}`;
}

/** Diameter in CSS pixels and opacity that keep a population of this many points readable. */
export function pointStyle(samples: number): { size: number; opacity: number } {
  const crowd = 70_000 / Math.max(1, samples);
  return {
    size: Math.min(8, Math.max(1.3, 3.2 * crowd ** 0.28)),
    opacity: Math.min(0.9, Math.max(0.35, 0.65 * crowd ** 0.2)),
  };
}

/** Hides the rows whose code is marked. */
export interface RowFilter {
  codes: ArrayLike<number>;
  hidden: readonly boolean[];
}

/** How many samples of each slot remain when some states are hidden. */
export function slotCounts(slots: ArrayLike<number>, states: RowFilter | null, length: number): number[] {
  const counts = new Array<number>(length).fill(0);
  for (let row = 0; row < slots.length; row++) {
    if (!states?.hidden[states.codes[row]!]) counts[slots[row]!]! += 1;
  }
  return counts;
}

/** 1 for each row that no filter hides, 0 for the others, and how many are left; null where all are. */
export function visibleMask(
  samples: number,
  filters: readonly RowFilter[],
): { mask: Uint8Array; count: number } | null {
  const active = filters.filter(({ hidden }) => hidden.some(Boolean));
  if (active.length === 0) return null;
  const mask = new Uint8Array(samples).fill(1);
  for (const { codes, hidden } of active) {
    for (let row = 0; row < samples; row++) if (hidden[codes[row]!]) mask[row] = 0;
  }
  return { mask, count: mask.reduce((sum, shown) => sum + shown, 0) };
}
