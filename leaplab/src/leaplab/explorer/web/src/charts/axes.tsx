/** Axes, grids and legends. */

import { scaleLinear, scaleLog } from "d3-scale";
import type { ComponentChildren } from "preact";
import type { Axis } from "../api/charts";
import { formatName } from "../ui/format";
import { type Box, cut, type Ink, LINE, type Room, SMALL, textWidth } from "./room";
import { logTicks, type Ticks, ticksOf } from "./ticks";

export interface NumberScale {
  (value: number): number;
  invert: (pixel: number) => number;
  ticks: Ticks;
  domain: [number, number];
}

/** Pixels between ticks. */
const APART = 56;

/** A scale whose ends are a little beyond the numbers. */
export function numberScale(
  ends: [number, number],
  range: [number, number],
  { isLog = false, exact = false, apart }: { isLog?: boolean; exact?: boolean; apart?: number } = {},
): NumberScale {
  let [low, high] = ends;
  if (!(high > low)) [low, high] = low === 0 ? [0, 1] : [low - Math.abs(low) / 2, low + Math.abs(low) / 2];
  const pixels = Math.abs(range[1] - range[0]);
  const log = isLog && low > 0;
  const scale = log ? scaleLog([low, high], range) : scaleLinear([low, high], range);
  if (!exact && !log)
    (scale as ReturnType<typeof scaleLinear>).nice(Math.max(2, Math.floor(pixels / (apart ?? APART))));
  const [from, to] = scale.domain() as [number, number];
  let ticks = log ? logTicks(from, to) : ticksOf(from, to, pixels, apart);
  const widest = Math.max(...ticks.texts.map((text) => textWidth(text))) + 14;
  // Along the foot numbers stand side by side.
  if (!log && range[1] > range[0] && widest > (apart ?? APART)) ticks = ticksOf(from, to, pixels, widest);
  // A logarithm has no place for what is not above zero: it lies at the foot.
  return Object.assign((value: number) => scale(log ? Math.max(value, from) : value) as number, {
    invert: (pixel: number) => scale.invert(pixel) as number,
    ticks,
    domain: [from, to] as [number, number],
  });
}

/**
 * A scale of values with some room around them, which does not go below zero for what does not.
 *
 * @param floor what it has to hold as well.
 */
export function valuesScale(
  values: readonly (number | null | undefined)[],
  range: [number, number],
  isLog: boolean,
  floor = Infinity,
): NumberScale {
  const apart = range[1] > range[0] ? APART : 36;
  const above = isLog ? values.filter((value) => typeof value === "number" && value > 0) : [];
  if (above.length) return numberScale(endsOf(above), range, { isLog, apart });
  const [low, high] = endsOf(values);
  const around = (high - low) * 0.06 || Math.abs(low) * 0.1 || 0.5;
  const least = low >= 0 ? Math.max(0, low - around) : low - around;
  return numberScale([Math.min(least, floor), high + around], range, { exact: true, apart });
}

/** The least and the greatest of numbers; [0, 1] where there are none. */
export function endsOf(values: readonly (number | null | undefined)[]): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value === null || value === undefined || !Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : [0, 1];
}

/** The ends of a number's axis: what lies beyond is gathered in its outermost bins, which are drawn as far as that. */
export function axisEnds(axis: Axis, otherwise: readonly (number | null)[]): [number, number] {
  const { low, high } = axis;
  return low !== null && high !== null && high > low ? [low, high] : endsOf(otherwise);
}

/** A scale that draws nothing beyond its ends. */
export function clamped(scale: NumberScale): (value: number) => number {
  const [low, high] = scale.domain;
  return (value) => scale(Math.max(low, Math.min(high, value)));
}

export function Text(props: {
  x: number;
  y: number;
  ink: string;
  anchor?: "start" | "middle" | "end";
  size?: number;
  weight?: number;
  turned?: boolean;
  children: string;
  title?: string;
}) {
  const { x, y, ink, anchor = "start", size = SMALL, weight, turned, children, title } = props;
  return (
    <text
      x={x}
      y={y}
      fill={ink}
      text-anchor={anchor}
      font-size={size}
      {...(weight ? { "font-weight": weight } : {})}
      {...(turned ? { transform: `rotate(-90 ${x} ${y})` } : {})}
    >
      {title !== undefined && title !== children && <title>{title}</title>}
      {children}
    </text>
  );
}

/** Lines across the plot at the ticks of its second axis, and their numbers. */
export function LeftAxis({ scale, plot, ink, label }: { scale: NumberScale; plot: Box; ink: Ink; label: string }) {
  return (
    <g>
      {scale.ticks.values.map((value, at) => (
        <g key={value}>
          <line x1={plot.left} x2={plot.left + plot.width} y1={scale(value)} y2={scale(value)} stroke={ink.grid} />
          <Text x={plot.left - 6} y={scale(value) + 4} ink={ink.muted} anchor="end">
            {scale.ticks.texts[at]!}
          </Text>
        </g>
      ))}
      <AxisName label={label} plot={plot} ink={ink} />
    </g>
  );
}

/** Beside the first axis, turned. */
export function AxisName({ label, plot, ink }: { label: string; plot: Box; ink: Ink }) {
  return (
    <Text x={11} y={plot.top + plot.height / 2} ink={ink.muted} anchor="middle" turned title={label}>
      {cut(formatName(label), plot.height)}
    </Text>
  );
}

/** Pixels that the numbers and the name of the second axis take. */
export function leftRoom(texts: readonly string[]): number {
  return 24 + Math.max(12, ...texts.map((text) => textWidth(text)));
}

export function BottomAxis(props: { scale: NumberScale; plot: Box; ink: Ink; label: string; grid?: boolean }) {
  const { scale, plot, ink, label, grid } = props;
  const base = plot.top + plot.height;
  return (
    <g>
      <line x1={plot.left} x2={plot.left + plot.width} y1={base} y2={base} stroke={ink.axis} />
      {scale.ticks.values.map((value, at) => (
        <g key={value}>
          <line
            x1={scale(value)}
            x2={scale(value)}
            y1={grid ? plot.top : base}
            y2={base + 4}
            stroke={grid ? ink.grid : ink.axis}
          />
          <Text x={scale(value)} y={base + 16} ink={ink.muted} anchor="middle">
            {scale.ticks.texts[at]!}
          </Text>
        </g>
      ))}
      <BelowName label={label} plot={plot} ink={ink} />
    </g>
  );
}

/** Names of categories below the plot, cut where they are long. */
export function BottomNames(props: {
  names: readonly string[];
  middle: (name: string) => number;
  step: number;
  plot: Box;
  ink: Ink;
  label: string;
}) {
  const { names, middle, step, plot, ink, label } = props;
  const base = plot.top + plot.height;
  return (
    <g>
      <line x1={plot.left} x2={plot.left + plot.width} y1={base} y2={base} stroke={ink.axis} />
      {names.map((name) => (
        <Text key={name} x={middle(name)} y={base + 16} ink={ink.muted} anchor="middle" title={name}>
          {cut(name, step - 4)}
        </Text>
      ))}
      <BelowName label={label} plot={plot} ink={ink} />
    </g>
  );
}

/** Names of rows at the left of a plot, each cut to the room that there is. */
export function LeftNames(props: {
  names: readonly string[];
  middle: (name: string, at: number) => number;
  written?: (name: string) => string;
  room: number;
  plot: Box;
  ink: Ink;
}) {
  const { names, middle, written = (name) => name, room, plot, ink } = props;
  return (
    <>
      {names.map((name, at) => (
        <Text key={name} x={plot.left - 6} y={middle(name, at) + 4} ink={ink.muted} anchor="end" title={name}>
          {cut(written(name), room)}
        </Text>
      ))}
    </>
  );
}

export function BelowName({ label, plot, ink }: { label: string; plot: Box; ink: Ink }) {
  return (
    <Text x={plot.left + plot.width / 2} y={plot.top + plot.height + 32} ink={ink.muted} anchor="middle" title={label}>
      {cut(formatName(label), plot.width)}
    </Text>
  );
}

/** Pixels that a bottom axis takes. */
export const BELOW = 38;

export interface LegendRows {
  height: number;
  drawn: ComponentChildren;
}

/** The series and their colours, in as many rows as it takes; nothing for one. */
export function legendRows(
  { ink, size, colour }: Pick<Room, "ink" | "size" | "colour">,
  series: readonly string[],
): LegendRows {
  if (series.length === 0) return { height: 4, drawn: null };
  let [left, top] = [2, 0];
  const entries = series.map((name) => {
    const text = cut(name, 150);
    const width = 14 + textWidth(text) + 14;
    if (left > 2 && left + width > size.width) [left, top] = [2, top + LINE];
    const placed = { name, text, left, top };
    left += width;
    return placed;
  });
  return {
    height: top + LINE + 8,
    drawn: (
      <g>
        {entries.map((entry) => (
          <g key={entry.name}>
            <circle cx={entry.left + 5} cy={entry.top + 7} r={4.5} fill={colour(entry.name)} />
            <Text x={entry.left + 14} y={entry.top + 11} ink={ink.muted} title={entry.name}>
              {entry.text}
            </Text>
          </g>
        ))}
      </g>
    ),
  };
}

/** The interval of a value, upright or lying. */
export function Whisker(props: { from: [number, number]; to: [number, number]; ink: string; cap?: number }) {
  const { from, to, ink, cap = 3 } = props;
  const upright = from[0] === to[0];
  const [dx, dy] = upright ? [cap, 0] : [0, cap];
  const d = `M${from[0]} ${from[1]}L${to[0]} ${to[1]}M${from[0] - dx} ${from[1] - dy}L${from[0] + dx} ${from[1] + dy}M${to[0] - dx} ${to[1] - dy}L${to[0] + dx} ${to[1] + dy}`;
  return <path d={d} stroke={ink} stroke-width={1.2} fill="none" />;
}
