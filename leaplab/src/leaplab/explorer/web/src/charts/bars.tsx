/** Horizontal bars of one value a label: a classifier's scores with the ground truth marked. */

import { formatRounded } from "../ui/format";

export interface BarData {
  labels: string[];
  values: (number | null)[];
  ground_truth?: number[] | null;
}

export interface Bar {
  label: string;
  value: number;
  /** Start and length on the track, 0 to 1; values below zero run to the left of `origin`. */
  start: number;
  length: number;
  truth: boolean;
  top: boolean;
}

export interface BarChart {
  bars: Bar[];
  /** Where zero lies on the track, 0 to 1. */
  origin: number;
  /** Labels that were left out because they are too many. */
  left: number;
}

const MOST_BARS = 16;

/**
 * All labels in their order where they are few; else the largest values first, the ground truth always among them.
 * Values within 0..1 are drawn against 1, so that an unsure prediction looks unsure; others against the largest.
 */
export function layoutBars({ labels, values, ground_truth }: BarData, most = MOST_BARS): BarChart {
  const count = Math.min(labels.length, values.length);
  const finite = values.slice(0, count).map((value) => (value !== null && Number.isFinite(value) ? value : 0));
  const bottom = Math.min(0, ...finite);
  const peak = Math.max(0, ...finite);
  const top = bottom === 0 && peak <= 1 ? 1 : peak;
  const width = top - bottom || 1;
  const truths = truthIndexes(ground_truth, count);
  const winner = count > 0 ? finite.indexOf(Math.max(...finite)) : -1;
  const bars = finite.map(
    (value, index): Bar => ({
      label: labels[index]!,
      value: values[index] ?? NaN,
      start: (Math.min(0, value) - bottom) / width,
      length: Math.abs(value) / width,
      truth: truths.has(index),
      top: index === winner,
    }),
  );
  const origin = Math.abs(bottom) / width;
  if (count <= most) return { bars, origin, left: 0 };
  const ranked = bars.toSorted((a, b) => Number(b.truth) - Number(a.truth) || b.value - a.value);
  const kept = ranked.slice(0, most).sort((a, b) => b.value - a.value);
  return { bars: kept, origin, left: count - kept.length };
}

function truthIndexes(truth: number[] | null | undefined, count: number): Set<number> {
  const values = truth?.slice(0, count) ?? [];
  const peak = Math.max(0, ...values);
  return new Set(peak > 0 ? values.flatMap((value, index) => (value === peak ? [index] : [])) : []);
}

/** A table, so that it is read as one; each bar lies behind its value. */
export function Bars({ name, data }: { name: string; data: BarData }) {
  const { bars, origin, left } = layoutBars(data);
  return (
    <div class="bars">
      <table>
        <caption class="unseen">{name}</caption>
        <tbody>
          {bars.map((bar) => (
            <BarRow key={bar.label} bar={bar} origin={origin} />
          ))}
        </tbody>
      </table>
      <div class="bar-foot">
        {bars.some((bar) => bar.truth) && (
          <p class="bar-note">
            <span class="truth-mark" />
            ground truth
          </p>
        )}
        {left > 0 && <p class="bar-note">{`${left} more with lower values`}</p>}
      </div>
    </div>
  );
}

function BarRow({ bar, origin }: { bar: Bar; origin: number }) {
  return (
    <tr class={["bar", bar.truth && "truth", bar.top && "top"].filter(Boolean).join(" ")}>
      <th scope="row" title={bar.label}>
        {bar.truth && <span class="truth-mark" title="ground truth" />}
        <span class="bar-label">{bar.label}</span>
        {bar.truth && <span class="unseen"> (ground truth)</span>}
      </th>
      <td class="bar-track-cell">
        <span class="bar-track">
          <span class="bar-fill" style={{ left: `${bar.start * 100}%`, width: `${bar.length * 100}%` }} />
          {origin > 0 && <span class="bar-zero" style={{ left: `${origin * 100}%` }} />}
        </span>
      </td>
      <td class="bar-value">{formatRounded(bar.value)}</td>
    </tr>
  );
}
