/** Bars of categories or of ranges, standing or lying, with the intervals of their values; and histograms. */

import { scaleBand } from "d3-scale";
import type { Chart, Group } from "../api/charts";
import { formatNumber } from "../ui/format";
import {
  AxisName,
  axisEnds,
  BELOW,
  BottomAxis,
  BottomNames,
  clamped,
  endsOf,
  LeftAxis,
  LeftNames,
  leftRoom,
  legendRows,
  type NumberScale,
  numberScale,
  Text,
  Whisker,
} from "./axes";
import { type ChartProps, Figure } from "./figure";
import { type Box, type Drawing, markWords, type Placed, type Room, shortValue, textWidth } from "./room";

/** More lie, and so do those whose names are cut where they stand. */
const MOST_STANDING = 24;
/** Height of a lying bar with its gap. */
const LYING = 18;

export const BarChart = (props: ChartProps) => <Figure {...props} draw={drawBars} />;

export function drawBars(room: Room): Drawing {
  const { chart } = room;
  if (chart.x_axis.type === "number") return drawBins(room);
  const names = chart.x_axis.categories ?? [];
  const step = (room.size.width - 60) / Math.max(1, names.length);
  const fits = names.length <= MOST_STANDING && names.every((name) => textWidth(name) <= step - 4);
  return fits ? drawStanding(room, names) : drawLying(room, names);
}

/** The values with their intervals, from zero on. */
export function valueEnds(groups: readonly Group[]): [number, number] {
  const [low, high] = endsOf(groups.flatMap((group) => [group.value, group.low, group.high]));
  const ends: [number, number] = [Math.min(0, low), Math.max(0, high)];
  // The interval of a share is within it.
  return ends[0] === 0 && ends[1] > 0.9 && ends[1] <= 1 ? [0, 1] : ends;
}

function valueScale(room: Room, range: [number, number]): NumberScale {
  const values = room.chart.groups.map(({ value }) => value ?? 0);
  if (room.isLog && values.some((value) => value > 0)) {
    const [low, high] = endsOf(values.filter((value) => value > 0));
    return numberScale([low / 1.5, high * 1.2], range, { isLog: true });
  }
  return numberScale(valueEnds(room.chart.groups), range, { apart: 36 });
}

function frame(room: Room, legend: number): { plot: Box; y: NumberScale } {
  const { size } = room;
  const plot = { left: 40, top: legend + 10, width: 0, height: size.height - legend - 10 - BELOW };
  const y = valueScale(room, [plot.top + plot.height, plot.top]);
  plot.left = leftRoom(y.ticks.texts);
  plot.width = size.width - plot.left - 16;
  return { plot, y };
}

const baseOf = (y: NumberScale): number => y(Math.max(y.domain[0], Math.min(y.domain[1], 0)));

function drawStanding(room: Room, names: readonly string[]): Drawing {
  const { chart, ink, colour, size } = room;
  const legend = legendRows(room, chart.series);
  const { plot, y } = frame(room, legend.height);
  const band = scaleBand<string>(names, [plot.left, plot.left + plot.width])
    .paddingInner(0.22)
    .paddingOuter(0.11);
  const series: (string | null)[] = chart.series.length ? chart.series : [null];
  const within = scaleBand<string>(series.map(String), [0, band.bandwidth()]).paddingInner(
    series.length > 1 ? 0.08 : 0,
  );
  const wide = Math.min(within.bandwidth(), 64);
  const marks: Placed[] = chart.groups
    .filter(({ value }) => value !== null)
    .map((group) => {
      const middle = (band(String(group.x)) ?? 0) + (within(String(group.series)) ?? 0) + within.bandwidth() / 2;
      return column(room, group, middle - wide / 2, wide, y, colour(group.series));
    });
  return {
    height: size.height,
    plot,
    under: (
      <>
        {legend.drawn}
        <LeftAxis scale={y} plot={plot} ink={ink} label={chart.y_axis.label} />
        <BottomNames
          names={names}
          middle={(name) => (band(name) ?? 0) + band.bandwidth() / 2}
          step={band.step()}
          plot={plot}
          ink={ink}
          label={chart.x_axis.label}
        />
      </>
    ),
    marks,
  };
}

function column(room: Room, group: Group, left: number, width: number, y: NumberScale, colour: string): Placed {
  const { ink, chart } = room;
  const value = group.value!;
  const [from, to] = [baseOf(y), y(value)];
  const middle = left + width / 2;
  const told = shortValue(value);
  const hasInterval = group.low !== null && group.high !== null;
  const top = hasInterval ? Math.min(to, y(group.high!)) : to;
  return {
    group,
    at: [middle, Math.min(from, to)],
    words: markWords(chart, group),
    shape: {
      as: "rect",
      with: {
        x: left,
        width,
        y: Math.min(from, to),
        height: Math.max(1, Math.abs(from - to)),
        fill: colour,
        rx: Math.min(2, width / 4),
      },
    },
    more: (
      <>
        {hasInterval && (
          <Whisker
            from={[middle, y(group.low!)]}
            to={[middle, y(group.high!)]}
            ink={ink.text}
            cap={Math.min(4, width / 3)}
          />
        )}
        {textWidth(told) <= width + 8 && (
          <Text x={middle} y={top - 4} ink={ink.muted} anchor="middle" size={10}>
            {told}
          </Text>
        )}
      </>
    ),
  };
}

function drawLying(room: Room, names: readonly string[]): Drawing {
  const { chart, ink, colour, size } = room;
  const legend = legendRows(room, chart.series);
  const series: (string | null)[] = chart.series.length ? chart.series : [null];
  const needed = names.length * Math.max(LYING, series.length * 9 + 4) + legend.height + BELOW + 6;
  const height = Math.max(size.height, needed);
  const longest = Math.min(size.width * 0.36, Math.max(20, ...names.map((name) => textWidth(name))) + 4);
  const left = longest + 24;
  const plot = {
    left,
    top: legend.height + 4,
    width: size.width - left - 44,
    height: height - legend.height - 4 - BELOW,
  };
  const x = valueScale(room, [plot.left, plot.left + plot.width]);
  const band = scaleBand<string>(names, [plot.top, plot.top + plot.height])
    .paddingInner(0.24)
    .paddingOuter(0.12);
  const within = scaleBand<string>(series.map(String), [0, band.bandwidth()]).paddingInner(
    series.length > 1 ? 0.08 : 0,
  );
  const wide = Math.min(within.bandwidth(), 26);
  const marks: Placed[] = chart.groups
    .filter(({ value }) => value !== null)
    .map((group) => {
      const middle = (band(String(group.x)) ?? 0) + (within(String(group.series)) ?? 0) + within.bandwidth() / 2;
      const [from, to] = [baseOf(x), x(group.value!)];
      const hasInterval = group.low !== null && group.high !== null;
      return {
        group,
        at: [Math.max(from, to), middle],
        words: markWords(chart, group),
        shape: {
          as: "rect",
          with: {
            x: Math.min(from, to),
            width: Math.max(1, Math.abs(from - to)),
            y: middle - wide / 2,
            height: wide,
            fill: colour(group.series),
            rx: Math.min(2, wide / 4),
          },
        },
        more: (
          <>
            {hasInterval && (
              <Whisker
                from={[x(group.low!), middle]}
                to={[x(group.high!), middle]}
                ink={ink.text}
                cap={Math.min(3, wide / 3)}
              />
            )}
            {wide >= 9 && (
              <Text
                x={Math.max(from, to, hasInterval ? x(group.high!) : 0) + 5}
                y={middle + 3.5}
                ink={ink.muted}
                size={10}
              >
                {shortValue(group.value!)}
              </Text>
            )}
          </>
        ),
      };
    });
  return {
    height,
    needed,
    plot,
    under: (
      <>
        {legend.drawn}
        <BottomAxis scale={x} plot={plot} ink={ink} label={chart.y_axis.label} grid />
        <LeftNames
          names={names}
          middle={(name) => (band(name) ?? 0) + band.bandwidth() / 2}
          room={longest}
          plot={plot}
          ink={ink}
        />
        <AxisName label={chart.x_axis.label} plot={plot} ink={ink} />
      </>
    ),
    marks,
  };
}

/** Bars of ranges of a number, side by side; those of several series lie over each other. */
export function drawBins(room: Room): Drawing {
  const { chart, ink, colour, size } = room;
  const legend = legendRows(room, chart.series);
  const { plot, y } = frame(room, legend.height);
  const x = numberScale(
    axisEnds(
      chart.x_axis,
      chart.groups.flatMap(({ x_low, x_high }) => [x_low, x_high]),
    ),
    [plot.left, plot.left + plot.width],
    { exact: true },
  );
  const within = clamped(x);
  const several = chart.series.length > 1;
  const marks: Placed[] = chart.groups
    .filter(({ value, x_low, x_high }) => value !== null && x_low !== null && x_high !== null)
    .map((group) => {
      const [left, right] = [within(group.x_low!), within(group.x_high!)];
      const wide = Math.max(1, right - left - (right - left > 4 ? 1 : 0));
      const placed = column(room, group, left + 0.5, wide, y, colour(group.series));
      const { rx: _, ...shape } = placed.shape.with;
      const seen = several ? { "fill-opacity": 0.35, stroke: colour(group.series), "stroke-width": 1.2 } : {};
      return {
        ...placed,
        words: rangeWords(chart, group),
        shape: { as: "rect", with: { ...shape, ...seen } },
        more: several || chart.aggregate === "count" || chart.aggregate === "share" ? null : placed.more,
      };
    });
  return {
    height: size.height,
    plot,
    under: (
      <>
        {legend.drawn}
        <LeftAxis scale={y} plot={plot} ink={ink} label={chart.y_axis.label} />
        <BottomAxis scale={x} plot={plot} ink={ink} label={chart.x_axis.label} />
      </>
    ),
    marks,
    brush: { x: x.invert },
  };
}

/** A range is told by its ends where it has no other name. */
export function rangeWords(chart: Chart, group: Group): string {
  if (group.x_low === null || group.x_high === null) return markWords(chart, group);
  return markWords(chart, { ...group, name: `${formatNumber(group.x_low)} to ${formatNumber(group.x_high)}` });
}
