/** Which way of a column is better. */

import { h } from "./dom";

/** An arrow, or nothing where neither way is better. */
export function better(direction: string | undefined): HTMLElement | null {
  const arrow = { upward: "\u2191", downward: "\u2193" }[direction?.toLowerCase() ?? ""];
  if (!arrow) return null;
  return h("span", { class: "better", title: arrow === "\u2191" ? "higher is better" : "lower is better" }, ` ${arrow}`);
}
