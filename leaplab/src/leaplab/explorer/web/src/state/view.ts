/** What the page shows, as one plain value, and its form in the URL's hash. Pure. */

import type { Column, Filter, Points, Run } from "../api/client";
import { tableOf } from "./painting";
import { type Plan, planOf } from "./plan";

/** Ways to look at the run. */
export const TABS = ["map", "plan", "charts"] as const;
export type Tab = (typeof TABS)[number];

export interface View {
  readonly tab: Tab;
  /** Name of the board of charts; null: the one that the server proposes. */
  readonly board: string | null;
  /** What is asked in the plan. */
  readonly plan: Plan | null;
  /** What the points of the map stand for. */
  readonly points: Points;
  /** What the gallery shows: whole images, or the objects cut out of them. */
  readonly tiles: Points;
  /** Name of the column that gives the colour, or null for one colour. */
  readonly colour: string | null;
  readonly size: string | null;
  /** The column that the gallery is sorted by, the highest first; null: by row. */
  readonly sort: string | null;
  /** The same of the objects' tiles; null: by their samples. */
  readonly objectSort: string | null;
  readonly space: string;
  readonly projection: string;
  readonly hiddenStates: readonly string[];
  /** Legend entries switched off; they belong to the colour column and fall with it. */
  readonly hiddenCategories: readonly string[];
  /** What else a sample has to meet to be shown: at most one a column. */
  readonly filters: readonly Filter[];
  /** The open sample, STATE/ID. */
  readonly sample: string | null;
  /** The tag whose samples are selected. */
  readonly tag: string | null;
  /** The insight whose members are selected, by its stable id; not both. */
  readonly insight: string | null;
  /** Number of the object of the open sample that is outlined. */
  readonly object: number | null;
}

const NONE = "none";

export const isColourable = (column: Column): boolean => column.kind !== "text";
export const isSizeable = (column: Column): boolean => column.kind === "continuous";

/** What colour and size begin with where the points stand for something else. */
export function defaultPaint(run: Run, points: Points): Pick<View, "points" | "colour" | "size"> {
  if (points === "objects" && run.objects) return { points, colour: run.objects.colour, size: null };
  return { points: "samples", colour: run.defaults.colour, size: run.defaults.size };
}

/** The view that the server proposes. */
export function defaultView(run: Run): View {
  return {
    tab: "map",
    board: null,
    plan: null,
    points: "samples",
    tiles: "samples",
    colour: run.defaults.colour,
    size: run.defaults.size,
    sort: run.defaults.size ?? run.defaults.colour,
    objectSort: null,
    space: run.defaults.space ?? "",
    projection: run.defaults.projection,
    hiddenStates: [],
    hiddenCategories: [],
    filters: [],
    sample: null,
    tag: null,
    insight: null,
    object: null,
  };
}

/** The hash of a view, without "#". */
export function toHash(view: View): string {
  const parameters = new URLSearchParams();
  if (view.tab !== "map") parameters.set("tab", view.tab);
  if (view.board !== null) parameters.set("board", view.board);
  if (view.points === "objects") parameters.set("points", view.points);
  if (view.tiles === "objects") parameters.set("tiles", view.tiles);
  parameters.set("colour", view.colour ?? NONE);
  parameters.set("size", view.size ?? NONE);
  parameters.set("sort", view.sort ?? NONE);
  if (view.objectSort !== null) parameters.set("objectsort", view.objectSort);
  parameters.set("space", view.space);
  parameters.set("projection", view.projection);
  for (const state of view.hiddenStates) parameters.append("hide", state);
  for (const category of view.hiddenCategories) parameters.append("off", category);
  for (const filter of view.filters) parameters.append("filter", JSON.stringify(filter));
  if (view.sample !== null) parameters.set("sample", view.sample);
  if (view.tag !== null) parameters.set("tag", view.tag);
  if (view.insight !== null) parameters.set("insight", view.insight);
  if (view.sample !== null && view.object !== null) parameters.set("object", String(view.object));
  if (view.plan !== null) parameters.set("plan", JSON.stringify(view.plan));
  return parameters.toString();
}

/** The view of a hash ("#" or not); what is missing or unknown to the run falls back to its defaults. */
export function fromHash(hash: string, run: Run): View {
  const parameters = new URLSearchParams(hash.replace(/^#/, ""));
  const pointsOf = (key: string): Points => (run.objects && parameters.get(key) === "objects" ? "objects" : "samples");
  const points = pointsOf("points");
  const fallback = { ...defaultView(run), ...defaultPaint(run, points) };
  const column = (
    key: string,
    fits: (column: Column) => boolean,
    otherwise: string | null,
    of: Points = points,
  ): string | null => {
    const name = parameters.get(key);
    if (name === NONE) return null;
    return tableOf(run, of).columns.some((one) => one.name === name && fits(one)) ? name : otherwise;
  };
  const oneOf = (key: string, names: string[], otherwise: string): string => {
    const name = parameters.get(key);
    return name !== null && names.includes(name) ? name : otherwise;
  };
  const colour = column("colour", isColourable, fallback.colour);
  const states = run.states.map((state) => state.name);
  return {
    tab: TABS.find((tab) => tab === parameters.get("tab")) ?? fallback.tab,
    board: parameters.get("board"),
    plan: planOf(parameters.get("plan"), run),
    points,
    tiles: pointsOf("tiles"),
    colour,
    size: column("size", isSizeable, fallback.size),
    sort: column("sort", isColourable, fallback.sort, "samples"),
    objectSort: run.objects ? column("objectsort", isColourable, null, "objects") : null,
    space: oneOf(
      "space",
      run.latent_spaces.map((space) => space.name),
      fallback.space,
    ),
    projection: oneOf("projection", run.projections, fallback.projection),
    hiddenStates: states.filter((state) => parameters.getAll("hide").includes(state)),
    hiddenCategories: colour === parameters.get("colour") ? parameters.getAll("off") : [],
    filters: parameters.getAll("filter").flatMap((text) => filterOf(text, run)),
    sample: parameters.get("sample"),
    tag: parameters.get("tag"),
    insight: parameters.has("tag") ? null : parameters.get("insight"),
    object: wholeNumber(parameters.get("object")),
  };
}

/** None where the text is no filter of one of the run's columns. */
function filterOf(text: string, run: Run): Filter[] {
  try {
    const filter = JSON.parse(text) as Filter;
    const column = run.columns.find(({ name }) => name === filter.column);
    if (!column) return [];
    const fits = column.kind === "continuous" ? isRange(filter) : Array.isArray(filter.keep);
    return fits ? [filter] : [];
  } catch {
    return [];
  }
}

function isRange({ low, high }: Filter): boolean {
  const ends = [low, high].filter((end) => end !== null && end !== undefined);
  return ends.length > 0 && ends.every((end) => typeof end === "number");
}

function wholeNumber(text: string | null): number | null {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : null;
}

/** Whether two views show the same. */
export function isSameView(a: View, b: View): boolean {
  return toHash(a) === toHash(b);
}
