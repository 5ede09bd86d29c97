/** Lines of bins in their order, with the band of their intervals; and how far confidence can be trusted. */

import { scalePoint } from "d3-scale";
import type { Group } from "../api/charts";
import {
  axisEnds,
  BELOW,
  BottomAxis,
  BottomNames,
  clamped,
  LeftAxis,
  leftRoom,
  legendRows,
  numberScale,
  valuesScale,
  Whisker,
} from "./axes";
import { rangeWords } from "./bar-chart";
import { type ChartProps, Figure } from "./figure";
import type { Box, Drawing, Placed, Room } from "./room";

export const LineChart = (props: ChartProps) => <Figure {...props} draw={drawLines} />;
export const CalibrationChart = (props: ChartProps) => <Figure {...props} draw={drawCalibration} />;

export function drawLines(room: Room): Drawing {
  const { chart, ink, colour, size, isLog } = room;
  const legend = legendRows(room, chart.series);
  const plot: Box = { left: 40, top: legend.height + 6, width: 0, height: size.height - legend.height - 6 - BELOW };
  const known = chart.groups.filter(({ value }) => value !== null);
  const values = known.flatMap(({ value, low, high }) => [value, low, high]);
  const y = valuesScale(values, [plot.top + plot.height, plot.top], isLog, 0);
  plot.left = leftRoom(y.ticks.texts);
  plot.width = size.width - plot.left - 20;
  const isNumber = chart.x_axis.type === "number";
  const names = chart.x_axis.categories ?? [];
  const points = scalePoint<string>(names, [plot.left, plot.left + plot.width]).padding(0.5);
  const whole = axisEnds(
    chart.x_axis,
    known.flatMap(({ x, x_low, x_high }) => [x_low, x_high, typeof x === "number" ? x : null]),
  );
  const x = numberScale(whole, [plot.left, plot.left + plot.width], { exact: true });
  const within = clamped(x);
  const at = (group: Group): [number, number] => [
    typeof group.x === "number" ? within(group.x) : (points(String(group.x)) ?? 0),
    y(group.value!),
  ];
  const series: (string | null)[] = chart.series.length ? chart.series : [null];
  const marks: Placed[] = known.map((group) => ({
    group,
    at: at(group),
    words: rangeWords(chart, group),
    shape: {
      as: "circle",
      with: { cx: at(group)[0], cy: at(group)[1], r: 3.5, fill: colour(group.series), stroke: ink.background },
    },
  }));
  return {
    height: size.height,
    plot,
    under: (
      <>
        {legend.drawn}
        <LeftAxis scale={y} plot={plot} ink={ink} label={chart.y_axis.label} />
        {isNumber ? (
          <BottomAxis scale={x} plot={plot} ink={ink} label={chart.x_axis.label} />
        ) : (
          <BottomNames
            names={names}
            middle={(name) => points(name) ?? 0}
            step={points.step()}
            plot={plot}
            ink={ink}
            label={chart.x_axis.label}
          />
        )}
        {series.map((name) => {
          const own = known.filter((group) => group.series === name);
          const sure = own.filter(({ low, high }) => low !== null && high !== null);
          const upper = sure.map((group) => `${at(group)[0]} ${y(group.high!)}`);
          const lower = sure.map((group) => `${at(group)[0]} ${y(group.low!)}`).reverse();
          return (
            <g key={name}>
              {sure.length > 1 && (
                <path d={`M${[...upper, ...lower].join("L")}Z`} fill={colour(name)} fill-opacity={0.16} />
              )}
              {own.length > 1 && (
                <path
                  d={`M${own.map((group) => at(group).join(" ")).join("L")}`}
                  fill="none"
                  stroke={colour(name)}
                  stroke-width={1.8}
                  stroke-linejoin="round"
                />
              )}
            </g>
          );
        })}
      </>
    ),
    marks,
    brush: isNumber ? { x: x.invert } : undefined,
  };
}

export function drawCalibration(room: Room): Drawing {
  const { chart, ink, colour, size } = room;
  const plot: Box = { left: 40, top: 10, width: 0, height: size.height - 10 - BELOW };
  const y = numberScale([0, 1], [plot.top + plot.height, plot.top], { exact: true, apart: 36 });
  plot.left = leftRoom(y.ticks.texts);
  plot.width = size.width - plot.left - 20;
  const x = numberScale([0, 1], [plot.left, plot.left + plot.width], { exact: true });
  const known = chart.groups.filter((group) => group.value !== null && typeof group.x === "number");
  const most = Math.max(1, ...known.map(({ count }) => count));
  const marks: Placed[] = known.map((group) => {
    const [left, top] = [x(group.x as number), y(group.value!)];
    return {
      group,
      at: [left, top],
      words: rangeWords(chart, group),
      shape: { as: "circle", with: { cx: left, cy: top, r: 4, fill: colour(group.series), stroke: ink.background } },
      more: group.low !== null && group.high !== null && (
        <Whisker from={[left, y(group.low)]} to={[left, y(group.high)]} ink={colour(group.series)} />
      ),
    };
  });
  return {
    height: size.height,
    plot,
    under: (
      <>
        <LeftAxis scale={y} plot={plot} ink={ink} label={chart.y_axis.label} />
        <BottomAxis scale={x} plot={plot} ink={ink} label={chart.x_axis.label} />
        {/* How many there are, along the foot. */}
        {known.map((group, at) => {
          const height = (0.22 * plot.height * group.count) / most;
          const [left, right] = [x(group.x_low ?? 0), x(group.x_high ?? 0)];
          return (
            <rect
              key={at}
              x={left}
              width={Math.max(1, right - left - 1)}
              y={plot.top + plot.height - height}
              height={height}
              fill={ink.grid}
            />
          );
        })}
        <line x1={x(0)} y1={y(0)} x2={x(1)} y2={y(1)} stroke={ink.muted} stroke-dasharray="4 4" />
        <path
          d={`M${marks.map(({ at }) => at.join(" ")).join("L")}`}
          fill="none"
          stroke={colour(null)}
          stroke-width={1.8}
        />
      </>
    ),
    marks,
  };
}
