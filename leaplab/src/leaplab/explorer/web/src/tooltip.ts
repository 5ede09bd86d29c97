/** What lies under the pointer. */

import type { ColumnValues } from "./api";
import { h } from "./dom";
import { ABSENT, formatName, formatNumber } from "./format";
import type { Painted } from "./population";

const GAP = 14;

/** The value of a row as a person reads it. */
export function valueAt(values: ColumnValues, row: number): string {
  if (values.kind === "continuous") return formatNumber(Number(values.values[row]!.toPrecision(4)));
  return values.column.categories?.[values.codes[row]!] ?? ABSENT;
}

/** `at` is the point's position in client coordinates. */
export function showTooltip(
  host: HTMLElement,
  painted: Painted,
  row: number,
  id: string | undefined,
  at: [number, number],
): void {
  const { colour, size, states } = painted;
  const swatch = h("span", { class: "swatch" });
  swatch.style.setProperty("--colour", colour.colours[colour.encoding.codes[row]!]!);
  const shown = [colour.values, size?.values].filter((values) => values && values.column.name !== states?.column.name);
  const unique = [...new Set(shown)] as ColumnValues[];
  host.replaceChildren(
    h("div", { class: "tooltip-head" }, swatch, h("strong", {}, id ?? `Sample ${row}`)),
    h(
      "dl",
      {},
      ...(states ? pair("state", valueAt(states, row)) : []),
      ...unique.flatMap((values) => pair(formatName(values.column.label), valueAt(values, row))),
    ),
  );
  host.hidden = false;
  const { offsetWidth: width, offsetHeight: height } = host;
  const left = at[0] + GAP + width > window.innerWidth ? at[0] - GAP - width : at[0] + GAP;
  const top = Math.min(Math.max(8, at[1] - height / 2), window.innerHeight - height - 8);
  host.style.transform = `translate(${Math.max(8, left)}px, ${top}px)`;
}

function pair(name: string, value: string): HTMLElement[] {
  return [h("dt", {}, name), h("dd", {}, value)];
}
