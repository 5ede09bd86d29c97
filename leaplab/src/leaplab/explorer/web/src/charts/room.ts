/** What all charts are drawn with: ink, text that fits, and their parts. Pure. */

import type { ComponentChildren } from "preact";
import type { Chart, Group } from "../api/charts";
import { CATEGORICAL, type Theme } from "../points/scales";
import { formatCount, formatNumber, formatRounded } from "../ui/format";

export interface Ink {
  background: string;
  text: string;
  muted: string;
  grid: string;
  axis: string;
  mark: string;
  other: string;
}

/** Marks have at least 3:1 contrast to the background, text 4.5:1. */
export const INK: Record<Theme, Ink> = {
  light: {
    background: "#ffffff",
    text: "#1a1d23",
    muted: "#5b6372",
    grid: "#eceff3",
    axis: "#c5cbd5",
    mark: "#1e78d2",
    other: "#868d99",
  },
  dark: {
    background: "#1f2329",
    text: "#e8eaee",
    muted: "#a0a8b6",
    grid: "#2e343e",
    axis: "#4d5563",
    mark: "#2da5ff",
    other: "#9aa2b0",
  },
};

export const FONT =
  'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", Arial, sans-serif';
export const SMALL = 11;
/** Height of a line of small text. */
export const LINE = 15;

/** Category -> its colour, as the map has it; undefined where it has none. */
export type Colours = ReadonlyMap<string, string>;

export interface Size {
  width: number;
  height: number;
}

/** What a person may draw on: the numbers at a pixel. */
export interface Brush {
  x: (pixel: number) => number;
  y?: (pixel: number) => number;
}

export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** A mark, where it lies, and what it says. */
export interface Placed {
  group: Group;
  /** Where its words are shown, and from where the arrow keys go. */
  at: [number, number];
  shape: { as: "rect" | "circle" | "path"; with: Record<string, string | number> };
  /** What belongs to it: whiskers, its number. */
  more?: ComponentChildren;
  words: string;
}

export interface Drawing {
  height: number;
  /** The height without which it would be crowded. */
  needed?: number;
  plot: Box;
  under: ComponentChildren;
  marks: Placed[];
  over?: ComponentChildren;
  brush?: Brush | undefined;
  /** Whether marks lie in rows and columns. */
  isGrid?: boolean;
  /** The row of the point nearest to a pixel. */
  pointAt?: (x: number, y: number) => { row: number; at: [number, number]; words: string } | null;
}

export interface Room {
  chart: Chart;
  size: Size;
  ink: Ink;
  theme: Theme;
  colour: (series: string | null) => string;
  isLog: boolean;
}

/** Names the curve of all labels together. */
const ALL = "all";

/** What a chart calls the categories that it has no room for. */
export const OTHERS = "others";

/** A colour each series: the map's where it has one, else what is left of the palette, in order. */
export function seriesColours(
  names: readonly string[],
  colours: Colours | undefined,
  theme: Theme,
): (name: string | null) => string {
  const own = new Map<string, string>(names.map((name) => [name, colours?.get(name) ?? ""]));
  const used = new Set(own.values());
  const free = CATEGORICAL[theme].filter((colour) => !used.has(colour));
  for (const name of names) {
    if (name === ALL) own.set(name, INK[theme].text);
    else if (name === OTHERS) own.set(name, INK[theme].other);
    else if (own.get(name) === "") own.set(name, free.shift() ?? INK[theme].other);
  }
  return (name) => (name === null ? INK[theme].mark : (own.get(name) ?? INK[theme].mark));
}

/** Pixels that a text takes, about. */
export function textWidth(text: string, size = SMALL): number {
  let width = 0;
  for (const character of text) {
    width += /[iljtf.,:;|!'() I]/.test(character) ? 0.32 : /[mwMW@%\u2014]/.test(character) ? 0.86 : 0.57;
  }
  return width * size;
}

/** A text cut to fit. */
export function cut(text: string, pixels: number, size = SMALL): string {
  if (textWidth(text, size) <= pixels) return text;
  let kept = text;
  while (kept.length > 1 && textWidth(`${kept}\u2026`, size) > pixels) kept = kept.slice(0, -1);
  return `${kept.trimEnd()}\u2026`;
}

/** A value in little room: whole numbers whole, others with three digits. */
export function shortValue(value: number): string {
  return Number.isInteger(value) ? formatNumber(value) : formatRounded(value);
}

/** "0.94 (0.92 to 0.96)". */
export function valueWords({ value, low, high }: Pick<Group, "value" | "low" | "high">): string {
  if (value === null) return "no value";
  const told = formatNumber(value);
  return low === null || high === null ? told : `${told} (${formatNumber(low)} to ${formatNumber(high)})`;
}

/** "1 sample", "2 objects". */
export function countWords({ of }: Pick<Chart, "of">, count: number): string {
  return `${formatCount(count)} ${count === 1 ? of.replace(/s$/, "") : of}`;
}

/** "cat, training: 0.94 (0.92 to 0.96), 1,000 samples". */
export function markWords(chart: Chart, group: Group): string {
  const name = [group.name, group.series]
    .filter((part) => part !== null && part !== "" && part !== undefined)
    .join(", ");
  const count = countWords(chart, group.count);
  if (chart.aggregate === "count") return `${name}: ${count}`;
  return `${name}: ${chart.aggregate} ${valueWords(group)}, ${count}`;
}

/** Black or white, whichever is read better on a colour. */
export function inkOn(colour: string): string {
  const rgb = parseInt(colour.slice(1), 16);
  const linear = [rgb >> 16, (rgb >> 8) & 255, rgb & 255].map((byte) => {
    const channel = byte / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.2126 * linear[0]! + 0.7152 * linear[1]! + 0.0722 * linear[2]!;
  return luminance > 0.179 ? "#000000" : "#ffffff";
}
