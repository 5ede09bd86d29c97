/** The element instances of a sample: a row each, a column for each thing that one of them has. */

import type { Instance, InstanceColumn } from "./api";
import { better } from "./better";
import { h } from "./dom";
import { formatName, formatValue } from "./format";

export interface InstanceTable {
  columns: InstanceColumn[];
  /** Number of the instance, and a text a column. */
  rows: { number: number; cells: string[] }[];
}

/** Columns in which no instance of the sample has a value are left out: the panel is narrow. */
export function layoutInstances(instances: Instance[], columns: InstanceColumn[]): InstanceTable {
  const known = columns.filter(({ name }) => instances.some((instance) => (instance[name] ?? null) !== null));
  const rows = instances.map((instance) => ({
    number: instance.number,
    cells: known.map(({ name }) => formatValue(instance[name])),
  }));
  return { columns: known, rows };
}

export function renderInstances(instances: Instance[], known: InstanceColumn[]): HTMLElement {
  const { columns, rows } = layoutInstances(instances, known);
  const heads = columns.map(({ name, label, direction }) =>
    h("th", { scope: "col", title: name }, formatName(label), better(direction)),
  );
  const table = h(
    "table",
    { "data-testid": "instances" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col", title: "number" }, "#"), ...heads)),
    h(
      "tbody",
      {},
      ...rows.map(({ number, cells }) =>
        h("tr", {}, h("th", { scope: "row" }, String(number)), ...cells.map((cell) => h("td", {}, cell))),
      ),
    ),
  );
  return h("div", { class: "instances", tabindex: 0, role: "group", "aria-label": "Instances" }, table);
}
