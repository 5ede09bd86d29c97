/** The colours that the values of a report's grey map stand for. Pure. */

import { palette, slotsOf, type Theme } from "../points/scales";
import type { DrawnMap } from "./content";

/** "#rrggbb" of each value from 0, which is no sample and never painted. */
export function coloursOf(map: DrawnMap, theme: Theme): string[] {
  const codes = new Uint16Array();
  const single = palette({ kind: "none", codes }, theme)[0]!;
  if (!map.column) return [single, single];
  if (map.scale) {
    // 256 steps and one for what is absent, of which the picture has 254.
    const steps = palette({ kind: "continuous", codes, scale: map.scale }, theme);
    const last = steps.length - 2;
    return [
      single,
      ...Array.from({ length: 254 }, (_, step) => steps[Math.round((step / 253) * last)]!),
      steps.at(-1)!,
    ];
  }
  const { slots, missing, ...shown } = slotsOf(map.column, map.counts ?? [], Math.max(map.absent ?? 0, 1));
  const colours = palette({ kind: "categorical", codes, ...shown }, theme);
  return [single, ...Array.from(slots, (slot) => colours[slot]!), colours[missing]!];
}
