/** What sets samples apart from the rest, as a person reads it. Pure. */

import type { Difference } from "../api/client";
import { formatRounded } from "./format";

/** "class: cat" of a share of one category, "brightness" of a number. */
export function nameOf({ column, inside }: Difference, label: (column: string) => string): string {
  return typeof inside === "number" ? label(column) : `${label(column)}: ${Object.keys(inside).join(", ")}`;
}

/** A number, or the share of the category. */
export function amount(value: Difference["inside"]): string {
  if (typeof value === "number") return formatRounded(value);
  return Object.values(value)
    .map((share) => `${Math.round(100 * share)} %`)
    .join(", ");
}
