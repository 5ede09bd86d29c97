/** Boards of charts as plain values: what each kind asks for, its title, and what a person does to a board. Pure. */

import type { Board, BoardChart, Chart, ChartAsked } from "../api/charts";
import type { Column, Filter } from "../api/client";
import { formatName } from "../ui/format";

export type Field = "x" | "y" | "split" | "value" | "aggregate" | "bins" | "label" | "of" | "axis";
type Fits = (column: Column) => boolean;

interface Wanted {
  label: string;
  fits: Fits;
  /** What stands for no column; without it one has to be chosen. */
  none?: string;
}

export interface Kind {
  title: string;
  told: string;
  columns: Partial<Record<"x" | "y" | "split" | "value", Wanted>>;
  more: readonly Exclude<Field, "x" | "y" | "split" | "value">[];
}

export const isNumber: Fits = ({ kind }) => kind === "continuous";
export const isCategory: Fits = ({ kind }) => kind === "categorical";
const isAny: Fits = () => true;
const isPlaced: Fits = ({ kind }) => kind !== "text";

const SPLIT: Wanted = { label: "Split by", fits: isCategory, none: "Nothing" };
const OF_Y: Wanted = { label: "Value", fits: isNumber, none: "How many there are" };

/** In the order in which a person is offered them. */
export const KINDS: Readonly<Record<string, Kind>> = {
  bar: {
    title: "Bars",
    told: "A number of each category, or of ranges of a number.",
    columns: { x: { label: "Along", fits: isAny }, y: OF_Y, split: SPLIT },
    more: ["aggregate", "bins", "axis", "of"],
  },
  line: {
    title: "Line",
    told: "A number along another one.",
    columns: { x: { label: "Along", fits: isPlaced }, y: OF_Y, split: SPLIT },
    more: ["aggregate", "bins", "axis", "of"],
  },
  scatter: {
    title: "Scatter",
    told: "Single samples by two numbers.",
    columns: { x: { label: "Along", fits: isNumber }, y: { label: "Up", fits: isNumber }, split: SPLIT },
    more: ["axis", "of"],
  },
  histogram: {
    title: "Histogram",
    told: "How the values of a column are distributed.",
    columns: { x: { label: "Of", fits: isPlaced }, split: SPLIT },
    more: ["aggregate", "bins", "axis", "of"],
  },
  box: {
    title: "Boxes",
    told: "Median, quartiles and extremes of each group.",
    columns: {
      y: { label: "Value", fits: isNumber },
      x: { label: "Along", fits: isPlaced, none: "Nothing" },
      split: SPLIT,
    },
    more: ["bins", "axis", "of"],
  },
  heatmap: {
    title: "Heat-map",
    told: "Two columns against each other.",
    columns: {
      x: { label: "Along", fits: isPlaced },
      y: { label: "Up", fits: isPlaced },
      value: { label: "Value", fits: isNumber, none: "How many there are" },
    },
    more: ["aggregate", "bins", "of"],
  },
  "group-means": {
    title: "Group means",
    told: "One dot a group, at its means of two numbers.",
    columns: {
      x: { label: "Along, the mean of", fits: isNumber },
      y: { label: "Up, the mean of", fits: isNumber },
      split: { label: "Groups", fits: isCategory },
    },
    more: ["axis", "of"],
  },
  correlation: {
    title: "Correlations",
    told: "What goes along with a number, or each number with each.",
    columns: { y: { label: "With", fits: isNumber, none: "Each other" } },
    more: ["of"],
  },
  confusion: { title: "Confusion matrix", told: "What is taken for what.", columns: {}, more: ["label"] },
  roc: { title: "ROC", told: "True against false positives at each threshold.", columns: {}, more: ["label"] },
  "precision-recall": {
    title: "Precision and recall",
    told: "What a threshold trades.",
    columns: {},
    more: ["label"],
  },
  calibration: { title: "Calibration", told: "Whether confidence is as good as it says.", columns: {}, more: ["bins"] },
  curves: { title: "Training curves", told: "How the training went.", columns: {}, more: ["axis"] },
};

/** Kinds that have a threshold: one for all of a board. */
export const JUDGED: readonly string[] = ["confusion", "roc", "precision-recall"];
export const AGGREGATES = ["mean", "median", "count", "share", "sum", "min", "max", "quantile:0.9"] as const;

/** What a chart is called that a person has given no title. */
export function titleOf(chart: BoardChart, label: (column: string) => string): string {
  if (chart.title) return chart.title;
  const name = (column: string | null | undefined): string => (column ? formatName(label(column)) : "\u2026");
  const split = chart.split && chart.kind !== "group-means" ? `, by ${name(chart.split)}` : "";
  return capital(`${bare(chart, name)}${split}`);
}

function bare(chart: BoardChart, name: (column: string | null | undefined) => string): string {
  const { kind, x, y, value, aggregate, of } = chart;
  const told = aggregate && aggregate !== "mean" ? `${aggregate.replace("quantile:0.", "quantile .")} of ` : "";
  const counted = aggregate === "share" ? `share of ${of ?? "samples"}` : (of ?? "samples");
  switch (kind) {
    case "bar":
    case "line":
      return `${y ? `${told}${name(y)}` : counted} by ${name(x)}`;
    case "scatter":
      return `${name(y)} against ${name(x)}`;
    case "histogram":
      return `${name(x)}`;
    case "box":
      return x ? `${name(y)} by ${name(x)}` : name(y);
    case "heatmap":
      return value ? `${told}${name(value)} by ${name(x)} and ${name(y)}` : `${name(x)} and ${name(y)}`;
    case "group-means":
      return `${name(y)} against ${name(x)}, means by ${name(chart.split)}`;
    case "correlation":
      return y ? `what goes along with ${name(y)}` : "correlations";
    case "curves":
      return `training: ${y ?? "loss"} by ${x ?? "step"}`;
    default:
      return `${KINDS[kind]?.title ?? kind}${chart.label ? ` of ${chart.label}` : ""}`;
  }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A key for each chart that goes along with it when it is moved. */
export function keysOf(charts: readonly BoardChart[]): string[] {
  const seen = new Map<string, number>();
  return charts.map((chart) => {
    // What is left out is as by default.
    const { kind, x, y, split, value, aggregate, bins, label, of = "samples" } = chart;
    const key = JSON.stringify(
      [kind, x, y, split, value, aggregate, bins, label].map((part) => part ?? null).concat(of),
    );
    const before = seen.get(key) ?? 0;
    seen.set(key, before + 1);
    return `${key} ${before}`;
  });
}

export function moved(charts: readonly BoardChart[], from: number, by: number): BoardChart[] {
  const to = Math.max(0, Math.min(charts.length - 1, from + by));
  const rest = charts.filter((_, at) => at !== from);
  return [...rest.slice(0, to), charts[from]!, ...rest.slice(to)];
}

export function replaced(charts: readonly BoardChart[], at: number, chart: BoardChart): BoardChart[] {
  return charts.map((each, place) => (place === at ? chart : each));
}

export function inserted(charts: readonly BoardChart[], at: number, chart: BoardChart): BoardChart[] {
  return [...charts.slice(0, at), chart, ...charts.slice(at)];
}

export function without(charts: readonly BoardChart[], at: number): BoardChart[] {
  return charts.filter((_, place) => place !== at);
}

/** "My board", "My board 2", ... */
export function freeName(base: string, taken: readonly string[]): string {
  let name = base;
  for (let number = 2; taken.includes(name); number++) name = `${base} ${number}`;
  return name;
}

const TEXTS = ["kind", "x", "y", "split", "value", "aggregate", "label", "title"] as const;
const FIELDS: readonly string[] = [...TEXTS, "bins", "threshold", "of", "axis", "width"];

/** The board of a file's text; throws a sentence for a person where it is none. */
export function boardOfText(text: string): Board {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    throw new Error("This file is no board: it is not JSON. Choose one that was saved by \u201cSave as a file\u201d.");
  }
  if (!isObject(read) || typeof read.name !== "string" || !Array.isArray(read.charts)) {
    throw new Error("This file is no board: a board has a name and charts.");
  }
  if (!read.name.trim()) throw new Error("The board of this file has no name; give it one.");
  return { name: read.name.trim(), charts: read.charts.map(chartOfFile) } as Board;
}

function chartOfFile(read: unknown, at: number): BoardChart {
  const where = `Chart ${at + 1} of this file`;
  if (!isObject(read) || typeof read.kind !== "string") throw new Error(`${where} has no kind.`);
  if (!Object.hasOwn(KINDS, read.kind))
    throw new Error(`${where} is of the kind \u201c${read.kind}\u201d, which there is not.`);
  const unknown = Object.keys(read).find((name) => !FIELDS.includes(name));
  if (unknown !== undefined) throw new Error(`${where} has a field \u201c${unknown}\u201d, which there is not.`);
  for (const [name, value] of Object.entries(read)) {
    if (value === null || value === undefined) continue;
    const fits = isFieldOf(name, value);
    if (!fits) throw new Error(`${where} has a field \u201c${name}\u201d that cannot be ${JSON.stringify(value)}.`);
  }
  return Object.fromEntries(Object.entries(read).filter(([, value]) => value !== null)) as unknown as BoardChart;
}

function isFieldOf(name: string, value: unknown): boolean {
  if ((TEXTS as readonly string[]).includes(name)) return typeof value === "string";
  switch (name) {
    case "bins":
      return Number.isInteger(value) && (value as number) > 0;
    case "threshold":
      return typeof value === "number" && Number.isFinite(value);
    case "of":
      return value === "samples" || value === "objects";
    case "axis":
      return value === "linear" || value === "log";
    default:
      return value === 1 || value === 2;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Of which samples charts are asked. */
export interface Among {
  filters: readonly Filter[];
  hidden: readonly string[];
  /** A bit a row, in base64. */
  within: string | null;
}

/** What the server is asked for a chart. */
export function askedOf(chart: BoardChart, among: Among, threshold: number | null): ChartAsked {
  const { kind, x, y, split, value, aggregate, bins, label, of } = chart;
  return {
    kind,
    x: x ?? null,
    y: y ?? null,
    split: split ?? null,
    value: value ?? null,
    aggregate: aggregate ?? null,
    bins: bins ?? null,
    label: label ?? null,
    threshold: JUDGED.includes(kind) ? (threshold ?? chart.threshold ?? null) : null,
    of: of ?? "samples",
    within: among.within,
    filters: [...among.filters],
    hidden: [...among.hidden],
  };
}

/** Of which column the series are, so that they have its colours. */
export function colouredBy(chart: Pick<Chart, "kind" | "split">): string | null {
  return chart.kind === "curves" ? "sample.state" : chart.split;
}
