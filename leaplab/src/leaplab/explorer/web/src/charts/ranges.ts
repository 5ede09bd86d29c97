/** Ranges of numbers: what bins hold, and what a person drew. Pure. */

import type { Group } from "../api/charts";

export interface Range {
  low: number | null;
  high: number | null;
}

const bits = new DataView(new ArrayBuffer(8));

/** The next smaller double. */
export function below(value: number): number {
  if (Number.isNaN(value) || value === -Infinity) return value;
  if (value === 0) return -Number.MIN_VALUE;
  bits.setFloat64(0, value);
  bits.setBigInt64(0, bits.getBigInt64(0) + (value > 0 ? -1n : 1n));
  return bits.getFloat64(0);
}

/**
 * The numbers of a bin as a range that holds both its ends: a bin does not hold its upper edge, unless it is the last.
 *
 * @param last upper edge of the last bin.
 */
export function closed(low: number, high: number, last: number): Range {
  return { low, high: high >= last ? high : below(high) };
}

/** The last upper edge along an axis; -Infinity where there are no bins. */
export function lastEdge(groups: readonly Group[], axis: "x" | "y"): number {
  return groups.reduce((last, group) => Math.max(last, group[`${axis}_high`] ?? -Infinity), -Infinity);
}

/** The range of the bins that a drawn stretch touches; null where it touches none. */
export function snapped(groups: readonly Group[], from: number, to: number): Range | null {
  const touched = groups.filter(
    ({ x_low, x_high }) =>
      x_low !== null && x_high !== null && x_high > Math.min(from, to) && x_low < Math.max(from, to),
  );
  if (!touched.length) return null;
  const low = Math.min(...touched.map(({ x_low }) => x_low!));
  const high = Math.max(...touched.map(({ x_high }) => x_high!));
  return closed(low, high, lastEdge(groups, "x"));
}

/** A drawn stretch with as many digits as its pixels tell apart: a person reads and shares it. */
export function rounded(from: number, to: number, pixel: number): Range {
  const digits = Math.max(0, Math.min(15, 1 - Math.floor(Math.log10(pixel))));
  const low = Number(Math.min(from, to).toFixed(digits));
  return { low, high: Number(Math.max(from, to).toFixed(digits)) };
}

/** Whether a bin lies within a range. */
export function isWithin(low: number, high: number, range: Range, last: number): boolean {
  const bin = closed(low, high, last);
  return bin.low! >= (range.low ?? -Infinity) && bin.high! <= (range.high ?? Infinity);
}
