/** A column's distribution: small beside its name, and large to draw a range on. */

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { Scale } from "../api/client";

const HEIGHT = 24;
/** Bars of the small one; of more categories, those with the most samples. */
const SMALL = 32;

/** The ends of the numbers that lie in the bins `from` to `to`; null at an end of the scale, beyond which more may lie. */
export function rangeOf(
  scale: Scale,
  bins: number,
  from: number,
  to: number,
): { low: number | null; high: number | null } {
  // As many digits as tell the bins apart: a person reads and shares the range.
  const width = (scale.high - scale.low) / bins;
  const digits = Math.max(0, Math.min(100, 1 - Math.floor(Math.log10(width))));
  const edge = (bin: number): number => Number((scale.low + bin * width).toFixed(digits));
  return { low: from <= 0 ? null : edge(from), high: to >= bins - 1 ? null : edge(to + 1) };
}

/** Whether the middle of a bin lies in a range. */
export function isInside(scale: Scale, bins: number, bin: number, low: number | null, high: number | null): boolean {
  const middle = scale.low + ((bin + 0.5) / bins) * (scale.high - scale.low);
  return middle >= (low ?? -Infinity) && middle <= (high ?? Infinity);
}

/** The bin at a share of the width. */
export function binAt(share: number, bins: number): number {
  return Math.max(0, Math.min(bins - 1, Math.floor(share * bins)));
}

/** A column's distribution at a glance; it says nothing that is not said elsewhere. */
export function Sparkline({ counts }: { counts: readonly number[] }) {
  const bars = counts.length > SMALL ? [...counts].sort((a, b) => b - a).slice(0, SMALL) : counts;
  return (
    <svg class="sparkline" viewBox={`0 0 ${bars.length} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <Bars counts={bars} />
    </svg>
  );
}

interface BrushProps {
  counts: readonly number[];
  scale: Scale;
  low: number | null;
  high: number | null;
  label: string;
  /** Called with a range when one was drawn. */
  choose: (range: { low: number | null; high: number | null }) => void;
}

/** Drag over it to choose a range, click to choose one bin; the fields below it do the same by keyboard. */
export function Brush({ counts, scale, low, high, label, choose }: BrushProps) {
  const host = useRef<SVGSVGElement>(null);
  const drawn = useSignal<[number, number] | null>(null);
  const bins = counts.length;
  const bin = (event: PointerEvent): number => {
    const box = host.current!.getBoundingClientRect();
    return binAt((event.clientX - box.left) / box.width, bins);
  };
  const ends = drawn.value && ([Math.min(...drawn.value), Math.max(...drawn.value)] as const);
  return (
    <svg
      ref={host}
      class="histogram brush"
      viewBox={`0 0 ${bins} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`Histogram of ${label}; drag to choose a range`}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        host.current!.setPointerCapture(event.pointerId);
        drawn.value = [bin(event), bin(event)];
      }}
      onPointerMove={(event) => {
        if (drawn.value) drawn.value = [drawn.value[0], bin(event)];
      }}
      onPointerUp={() => {
        if (ends) choose(rangeOf(scale, bins, ...ends));
        drawn.value = null;
      }}
      onPointerCancel={() => {
        drawn.value = null;
      }}
    >
      <Bars
        counts={counts}
        inside={(at) => (ends ? at >= ends[0] && at <= ends[1] : isInside(scale, bins, at, low, high))}
      />
    </svg>
  );
}

/** By the square root of the counts: a few hundred among 60,000 are still seen. */
function Bars({ counts, inside }: { counts: readonly number[]; inside?: (bin: number) => boolean }) {
  const most = Math.sqrt(Math.max(1, ...counts));
  return (
    <>
      {counts.map((count, bin) => {
        const height = (HEIGHT * Math.sqrt(count)) / most;
        return (
          <rect
            key={bin}
            class={inside && !inside(bin) ? "bin outside" : "bin"}
            x={bin + 0.05}
            width={0.9}
            y={HEIGHT - height}
            height={height}
          />
        );
      })}
    </>
  );
}
