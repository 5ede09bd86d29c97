/** Boxes: median with its interval, quartiles and whiskers of each group. */

import { scaleBand } from "d3-scale";
import { formatNumber } from "../ui/format";
import { BELOW, BottomNames, LeftAxis, leftRoom, legendRows, valuesScale } from "./axes";
import { type ChartProps, Figure } from "./figure";
import { type Box, type Drawing, markWords, type Placed, type Room } from "./room";

export const BoxChart = (props: ChartProps) => <Figure {...props} draw={drawBoxes} />;

export function drawBoxes(room: Room): Drawing {
  const { chart, ink, colour, size, isLog } = room;
  const legend = legendRows(room, chart.series);
  const known = chart.groups.filter(({ box }) => box !== null);
  const plot: Box = { left: 40, top: legend.height + 6, width: 0, height: size.height - legend.height - 6 - BELOW };
  const values = known.flatMap(({ box }) => [...box!]);
  const y = valuesScale(values, [plot.top + plot.height, plot.top], isLog);
  plot.left = leftRoom(y.ticks.texts);
  plot.width = size.width - plot.left - 20;
  // Bins stand in their order, by their names.
  const places = [...new Set(chart.groups.map(({ x, name }) => (typeof x === "string" ? x : name)))];
  const names = chart.x_axis.categories ?? places;
  const band = scaleBand<string>(names, [plot.left, plot.left + plot.width])
    .paddingInner(0.3)
    .paddingOuter(0.15);
  const series: (string | null)[] = chart.series.length ? chart.series : [null];
  const within = scaleBand<string>(series.map(String), [0, band.bandwidth()]).paddingInner(0.12);
  const wide = Math.min(54, within.bandwidth());
  const marks: Placed[] = known.map((group) => {
    const place = typeof group.x === "string" ? group.x : group.name;
    const middle = (band(place) ?? 0) + (within(String(group.series)) ?? 0) + within.bandwidth() / 2;
    const [low, first, median, third, high] = group.box!;
    const tint = colour(group.series);
    return {
      group,
      at: [middle, y(third)],
      words: `${markWords({ ...chart, aggregate: "median" }, group)}; half of them from ${formatNumber(first)} to ${formatNumber(third)}`,
      shape: {
        as: "rect",
        with: {
          x: middle - wide / 2,
          width: wide,
          y: y(third),
          height: Math.max(1, y(first) - y(third)),
          fill: tint,
          "fill-opacity": 0.28,
          stroke: tint,
          "stroke-width": 1.3,
        },
      },
      more: (
        <>
          <path
            d={`M${middle} ${y(third)}V${y(high)}M${middle} ${y(first)}V${y(low)}`}
            stroke={tint}
            stroke-width={1.3}
          />
          {group.low !== null && group.high !== null && (
            <rect
              x={middle - wide / 4}
              width={wide / 2}
              y={y(group.high)}
              height={Math.max(1, y(group.low) - y(group.high))}
              fill={tint}
              fill-opacity={0.5}
            />
          )}
          <line
            x1={middle - wide / 2}
            x2={middle + wide / 2}
            y1={y(median)}
            y2={y(median)}
            stroke={ink.text}
            stroke-width={2}
          />
        </>
      ),
    };
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
