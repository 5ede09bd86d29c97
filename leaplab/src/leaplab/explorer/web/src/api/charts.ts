/** Charts and boards as the server tells them. */

import type { components } from "./schema";

type Schemas = components["schemas"];

/** What the server always sends, though it may be left out where it is asked. */
type Whole<T> = T extends [unknown, ...unknown[]]
  ? T
  : T extends (infer E)[]
    ? Whole<E>[]
    : T extends object
      ? { [K in keyof T]-?: Whole<Exclude<T[K], undefined>> }
      : T;

export type Chart = Whole<Schemas["Chart"]>;
export type Group = Chart["groups"][number];
export type Axis = Chart["x_axis"];
export type Outcome = Chart["outcomes"][number];
export type ChartAsked = Schemas["ChartAsked"];
export type ChartRowsAsked = Schemas["ChartRowsAsked"];
export type ChartRows = Schemas["ChartRows"];
export type Board = Whole<Schemas["Board"]>;
export type BoardChart = Schemas["BoardChart"];
