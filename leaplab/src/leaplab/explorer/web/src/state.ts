/** What the page shows, as one plain value, and its form in the URL's hash. */

import type { Column, Run } from "./api";

export interface View {
  /** Name of the column that gives the colour, or null for one colour. */
  colour: string | null;
  size: string | null;
  space: string;
  projection: string;
  hiddenStates: readonly string[];
  /** Legend entries switched off; they belong to the colour column and fall with it. */
  hiddenCategories: readonly string[];
  row: number | null;
}

export type Listener<T> = (next: T, previous: T) => void;

export interface Store<T> {
  get(): T;
  /** Merges the patch; listeners hear only of real changes. */
  set(patch: Partial<T>): void;
  subscribe(listener: Listener<T>): void;
}

export function createStore<T extends object>(initial: T): Store<T> {
  let value = initial;
  const listeners: Listener<T>[] = [];
  return {
    get: () => value,
    set(patch) {
      const keys = Object.keys(patch) as (keyof T)[];
      if (keys.every((key) => isSame(value[key], patch[key]))) return;
      const previous = value;
      value = { ...value, ...patch };
      for (const listener of listeners) listener(value, previous);
    },
    subscribe: (listener) => void listeners.push(listener),
  };
}

function isSame(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => item === b[index]);
  }
  return Object.is(a, b);
}

const NONE = "none";

export const isColourable = (column: Column): boolean => column.kind !== "text";
export const isSizeable = (column: Column): boolean => column.kind === "continuous";

/** The view that the server proposes. */
export function defaultView(run: Run): View {
  return {
    colour: run.defaults.colour,
    size: run.defaults.size,
    space: run.defaults.space ?? "",
    projection: run.defaults.projection,
    hiddenStates: [],
    hiddenCategories: [],
    row: null,
  };
}

/** The hash of a view, without "#". */
export function toHash(view: View): string {
  const parameters = new URLSearchParams();
  parameters.set("colour", view.colour ?? NONE);
  parameters.set("size", view.size ?? NONE);
  parameters.set("space", view.space);
  parameters.set("projection", view.projection);
  for (const state of view.hiddenStates) parameters.append("hide", state);
  for (const category of view.hiddenCategories) parameters.append("off", category);
  if (view.row !== null) parameters.set("row", String(view.row));
  return parameters.toString();
}

/** The view of a hash ("#" or not); what is missing or unknown to the run falls back to its defaults. */
export function fromHash(hash: string, run: Run): View {
  const parameters = new URLSearchParams(hash.replace(/^#/, ""));
  const fallback = defaultView(run);
  const column = (key: string, fits: (column: Column) => boolean, otherwise: string | null): string | null => {
    const name = parameters.get(key);
    if (name === NONE) return null;
    return run.columns.some((one) => one.name === name && fits(one)) ? name : otherwise;
  };
  const oneOf = (key: string, names: string[], otherwise: string): string => {
    const name = parameters.get(key);
    return name !== null && names.includes(name) ? name : otherwise;
  };
  const colour = column("colour", isColourable, fallback.colour);
  const states = run.states.map((state) => state.name);
  return {
    colour,
    size: column("size", isSizeable, fallback.size),
    space: oneOf(
      "space",
      run.latent_spaces.map((space) => space.name),
      fallback.space,
    ),
    projection: oneOf("projection", run.projections, fallback.projection),
    hiddenStates: states.filter((state) => parameters.getAll("hide").includes(state)),
    hiddenCategories: colour === parameters.get("colour") ? parameters.getAll("off") : [],
    row: parseRow(parameters.get("row"), run.samples),
  };
}

function parseRow(text: string | null, samples: number): number | null {
  if (text === null || !/^\d+$/.test(text)) return null;
  const row = Number(text);
  return row < samples ? row : null;
}
