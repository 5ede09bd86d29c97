/** Where an axis has ticks, and how they are written. Pure. */

import { ticks as evenTicks, tickIncrement } from "d3-array";

export interface Ticks {
  values: number[];
  texts: string[];
}

/**
 * Round numbers between two ends, all written with the same decimals.
 *
 * @param pixels length of the axis.
 * @param apart pixels that a tick needs at least.
 */
export function ticksOf(low: number, high: number, pixels: number, apart = 56): Ticks {
  if (!(high > low)) return { values: [low], texts: [written(low, 0)] };
  const count = Math.max(2, Math.floor(pixels / apart));
  const values = evenTicks(low, high, count);
  const step = tickIncrement(low, high, count);
  // An increment below zero is one over a step.
  const size = step < 0 ? -1 / step : step;
  return { values, texts: values.map((value) => written(value, size)) };
}

/** Powers of ten between two ends above zero, with twos and fives where there are few. */
export function logTicks(low: number, high: number): Ticks {
  const from = Math.floor(Math.log10(low));
  const to = Math.ceil(Math.log10(high));
  const within = (value: number): boolean => value >= low * 0.999 && value <= high * 1.001;
  const tens = Array.from({ length: to - from + 1 }, (_, at) => 10 ** (from + at));
  const finer = tens.flatMap((ten) => [ten, 2 * ten, 5 * ten]).filter(within);
  const every = Math.max(1, Math.ceil(tens.length / 6));
  const values = to - from <= 2 ? finer : tens.filter((value, at) => within(value) && at % every === 0);
  return { values, texts: values.map((value) => written(value, value)) };
}

/** A number as an axis has it: "0.25", "12,000", "1.5M". */
export function written(value: number, step: number): string {
  const size = Math.abs(value);
  if (value === 0) return "0";
  if (size >= 1e6) return minus(`${short(value / 1e6, step / 1e6)}M`);
  if (size >= 1e5) return minus(`${short(value / 1e3, step / 1e3)}k`);
  if (step > 0 && step < 1e-4)
    return minus(value.toExponential(Math.max(0, digits(step) - digits(size))).replace("e+", "e"));
  return minus(short(value, step));
}

function short(value: number, step: number): string {
  const places = step > 0 ? Math.max(0, digits(step)) : 6;
  const text = value.toLocaleString("en-US", { maximumFractionDigits: Math.min(12, places) });
  return step > 0 && places > 0 && step < 1
    ? value.toLocaleString("en-US", { minimumFractionDigits: places, maximumFractionDigits: places })
    : text;
}

/** Decimals that a step needs. */
function digits(step: number): number {
  return Math.ceil(-Math.log10(step) - 1e-9);
}

function minus(text: string): string {
  return text.replaceAll("-", "\u2212");
}
