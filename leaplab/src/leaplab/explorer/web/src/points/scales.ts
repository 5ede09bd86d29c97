/** Values to colours and sizes. Pure: no DOM, no WebGL. */

import type { Column, Scale } from "../api/client";
import { ABSENT, type CategoricalValues, type ColumnValues, type ContinuousValues, STEPS } from "../api/values";

export type Theme = "light" | "dark";

/**
 * Ten colours a theme, of at least 3:1 contrast to its background, found by a farthest-point search in OKLab, where the
 * distance of two is the least of what normal, protanope and deuteranope vision sees (Machado et al., 2009).
 */
export const CATEGORICAL: Record<Theme, readonly string[]> = {
  light: ["#1e96ff", "#c3870f", "#007800", "#e1005a", "#8700b4", "#0f3c78", "#ff2de1", "#780f00", "#966996", "#0000ff"],
  dark: ["#2da5ff", "#d29600", "#00ff00", "#ff5ab4", "#b400ff", "#a5f0b4", "#c32d0f", "#f0c3ff", "#009678", "#785a96"],
};

const NEUTRAL: Record<Theme, { single: string; other: string; absent: string }> = {
  light: { single: "#1e78d2", other: "#868d99", absent: "#5b616c" },
  dark: { single: "#2da5ff", other: "#9aa2b0", absent: "#69717f" },
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
  | {
      kind: "categorical";
      codes: Uint16Array;
      entries: LegendEntry[];
      /** How many entries are a category. */
      colours: number;
      grouped: number;
      /** Whether the categories have an order, and so one scale of colours. */
      ordered: boolean;
    }
  | { kind: "continuous"; codes: Uint16Array; scale: Scale }
  | { kind: "none"; codes: Uint16Array };

export function encodeColour(values: ColumnValues | null, samples: number): ColourEncoding {
  if (values === null) return { kind: "none", codes: new Uint16Array(samples) };
  return values.kind === "categorical" ? encodeCategories(values) : encodeContinuous(values);
}

function encodeCategories({ codes, column }: CategoricalValues): ColourEncoding {
  const counts = new Array<number>((column.categories ?? []).length).fill(0);
  let absent = 0;
  for (const code of codes) {
    if (code >= 0 && code < counts.length) counts[code]! += 1;
    else absent += 1;
  }
  const { slots, missing, ...shown } = slotsOf(column, counts, absent);
  const slotOfRow = Uint16Array.from(codes, (code) => (code >= 0 && code < slots.length ? slots[code]! : missing));
  return { kind: "categorical", codes: slotOfRow, ...shown };
}

/** Which categories have a colour of their own, and the place of each among what the legend lists. */
export interface Slots {
  entries: LegendEntry[];
  colours: number;
  grouped: number;
  ordered: boolean;
  /** Category -> its entry. */
  slots: Uint16Array;
  /** The entry of what has no category. */
  missing: number;
}

export function slotsOf(column: Column, counts: readonly number[], absent: number): Slots {
  const categories = column.categories ?? [];
  const ordered = column.meaning === "ordinal";
  const own = ordered ? counts.map((_, code) => code) : categoriesWithColour(counts);
  const entries: LegendEntry[] = own.map((code) => ({
    key: categories[code]!,
    label: categories[code]!,
    count: counts[code]!,
  }));
  const slots = new Uint16Array(categories.length).fill(own.length);
  own.forEach((code, slot) => {
    slots[code] = slot;
  });
  const grouped = categories.length - own.length;
  if (grouped > 0) {
    const shown = entries.reduce((sum, entry) => sum + entry.count, 0);
    const all = counts.reduce((sum, count) => sum + count, 0);
    entries.push({ key: OTHER, label: grouped === 1 ? "1 other" : `${grouped} others`, count: all - shown });
  }
  const missing = entries.length;
  if (absent > 0) entries.push({ key: MISSING, label: "absent", count: absent });
  return { entries, colours: own.length, grouped, ordered, slots, missing };
}

/** All categories where the palette suffices, else the most frequent; in the order of the column. */
function categoriesWithColour(counts: readonly number[]): number[] {
  const all = counts.map((_, code) => code);
  const most = CATEGORICAL.light.length;
  if (counts.length <= most) return all;
  return all
    .sort((a, b) => counts[b]! - counts[a]! || a - b)
    .slice(0, most)
    .sort((a, b) => a - b);
}

/** The colour of each category that has one, as a map paints it; counts are needed of more than the palette has. */
export function categoryColours(column: Column, counts: readonly number[], theme: Theme): Map<string, string> {
  const categories = column.categories ?? [];
  const ordered = column.meaning === "ordinal";
  const own = ordered
    ? categories.map((_, code) => code)
    : categoriesWithColour(categories.map((_, at) => counts[at] ?? 0));
  return new Map(own.map((code, slot) => [categories[code]!, slotColour(slot, own.length, ordered, theme)]));
}

function slotColour(slot: number, colours: number, ordered: boolean, theme: Theme): string {
  if (!ordered) return CATEGORICAL[theme][slot]!;
  return sequential(colours > 1 ? slot / (colours - 1) : 0.5, theme);
}

function encodeContinuous({ places, scale }: ContinuousValues): ColourEncoding {
  const codes = Uint16Array.from(places, (place) =>
    place === ABSENT ? COLOUR_STEPS : Math.round(stretched(place / STEPS, scale.crowd) * (COLOUR_STEPS - 1)),
  );
  return { kind: "continuous", codes, scale };
}

/** The colours that the codes of an encoding index. */
export function palette(encoding: ColourEncoding, theme: Theme): string[] {
  const neutral = NEUTRAL[theme];
  switch (encoding.kind) {
    case "none":
      return [neutral.single];
    case "categorical":
      return encoding.entries.map(({ key }, slot) => {
        if (slot >= encoding.colours) return key === OTHER ? neutral.other : neutral.absent;
        return slotColour(slot, encoding.colours, encoding.ordered, theme);
      });
    case "continuous":
      return [
        ...Array.from({ length: COLOUR_STEPS }, (_, step) => sequential(step / (COLOUR_STEPS - 1), theme)),
        neutral.absent,
      ];
  }
}

/** Red, green, blue and opacity of the rows that are not in a selection: grey, for faint colours add up to strong ones. */
const UNSELECTED: Record<Theme, readonly [number, number, number, number]> = {
  light: [190, 196, 206, 90],
  dark: [72, 80, 94, 90],
};

/** Red, green, blue and opacity of each row, a byte each; what is not selected is grey. */
export function rowColours(
  codes: Uint16Array,
  colours: readonly string[],
  theme: Theme,
  selection: Uint8Array | null = null,
): Uint8Array {
  const packed = new Uint32Array(colours.length);
  const bytes = new Uint8Array(packed.buffer);
  colours.forEach((colour, slot) => {
    const rgb = parseInt(colour.slice(1), 16);
    bytes.set([rgb >> 16, (rgb >> 8) & 255, rgb & 255, 255], 4 * slot);
  });
  const painted = new Uint8Array(Uint32Array.from(codes, (code) => packed[code]!).buffer);
  if (selection) {
    for (let row = 0; row < selection.length; row++) if (!selection[row]) painted.set(UNSELECTED[theme], 4 * row);
  }
  return painted;
}

/** The drawing order with the selected rows on top; null is the order of the rows. */
export function selectedOnTop(order: Uint32Array | null, selection: Uint8Array): Uint32Array {
  const sorted = new Uint32Array(selection.length);
  let below = 0;
  let above = selection.length - selection.reduce((sum, one) => sum + one, 0);
  for (let place = 0; place < sorted.length; place++) {
    const row = order ? order[place]! : place;
    sorted[selection[row] ? above++ : below++] = row;
  }
  return sorted;
}

/** Where a value lies between the ends of a scale: 0 to 1, clipped; the middle where the scale has no width. */
export function position(value: number, { low, high }: Pick<Scale, "low" | "high">): number {
  if (high <= low) return 0.5;
  return Math.min(1, Math.max(0, (value - low) / (high - low)));
}

/** Where a value lies on the colour scale. */
export function colourPosition(value: number, scale: Pick<Scale, "low" | "high" | "crowd">): number {
  return stretched(position(value, scale), scale.crowd);
}

/** Losses crowd near zero: drawn to scale, all but a few would share one colour. */
function stretched(t: number, crowd: Scale["crowd"]): number {
  if (crowd === "low") return Math.cbrt(t);
  if (crowd === "high") return 1 - Math.cbrt(1 - t);
  return t;
}

/** `levels[row]` is 0 (small) to SIZE_LEVELS - 1 (large); absent values are small. */
export function encodeSize({ places }: ContinuousValues): Uint8Array {
  return Uint8Array.from(places, (place) => (place === ABSENT ? 0 : Math.round((place / STEPS) * (SIZE_LEVELS - 1))));
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
  levels.forEach((level, row) => {
    order[next[level]!++] = row;
  });
  return order;
}

/** Rows so that what is far from the median is drawn last: few failures among many hits must not be buried. */
export function rarestOnTop({ places, scale }: ContinuousValues): Uint32Array {
  const middle = colourPosition(scale.median, scale);
  const levels = Uint8Array.from(places, (place) =>
    place === ABSENT ? 0 : Math.round(Math.abs(stretched(place / STEPS, scale.crowd) - middle) * (SIZE_LEVELS - 1)),
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

/**
 * Diameter in CSS pixels and opacity that keep a population of this many points readable: the more of them lie in a view,
 * the smaller and fainter each is. From afar all shrinks alike, so that what is sparse does not grow into a solid spot.
 *
 * @param zoom how much nearer than the whole map; below 1 from afar.
 */
export function pointStyle(samples: number, zoom = 1): { size: number; opacity: number } {
  // Nearer, a view holds fewer; not by the square, since one looks at where they crowd.
  const crowd = (70_000 * Math.max(1, zoom)) / Math.max(1, samples);
  return {
    size: Math.min(8, Math.max(1.3, 3.2 * crowd ** 0.28)) * Math.min(1, zoom),
    opacity: Math.min(0.95, Math.max(0.35, 0.65 * crowd ** 0.2)),
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
