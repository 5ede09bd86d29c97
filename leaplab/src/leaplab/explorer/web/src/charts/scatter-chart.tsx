/** Single samples by two numbers; and the means of groups with their intervals. */

import { formatNumber } from "../ui/format";
import {
  BELOW,
  BottomAxis,
  LeftAxis,
  leftRoom,
  legendRows,
  type numberScale,
  Text,
  valuesScale,
  Whisker,
} from "./axes";
import { type ChartProps, Figure } from "./figure";
import { type Box, countWords, cut, type Drawing, type Placed, type Room, textWidth, valueWords } from "./room";

export const ScatterChart = (props: ChartProps) => <Figure {...props} draw={drawScatter} />;
export const GroupMeansChart = (props: ChartProps) => <Figure {...props} draw={drawGroupMeans} />;

/** Pixels around a point in which it is meant. */
const NEAR = 8;

export function drawScatter(room: Room): Drawing {
  const { chart, ink, colour, size, isLog } = room;
  const legend = legendRows(room, chart.series);
  const points = chart.points ?? { rows: [], x: [], y: [], series: null, count: 0 };
  const plot: Box = { left: 40, top: legend.height + 6, width: 0, height: size.height - legend.height - 6 - BELOW };
  const y = valuesScale(points.y, [plot.top + plot.height, plot.top], isLog);
  plot.left = leftRoom(y.ticks.texts);
  plot.width = size.width - plot.left - 20;
  const x = valuesScale(points.x, [plot.left, plot.left + plot.width], false);
  const many = points.rows.length;
  const wide = many > 2000 ? 2.6 : many > 400 ? 3.4 : 5;
  const series: (string | null)[] = chart.series.length ? chart.series : [null];
  // One path a series: five thousand nodes would take as long to lay out as the rest of the page.
  const paths = series.map(() => [] as string[]);
  points.x.forEach((value, at) => {
    paths[points.series?.[at] ?? 0]?.push(`M${x(value).toFixed(1)} ${y(points.y[at]!).toFixed(1)}h0`);
  });
  return {
    height: size.height,
    plot,
    under: (
      <>
        {legend.drawn}
        <LeftAxis scale={y} plot={plot} ink={ink} label={chart.y_axis.label} />
        <BottomAxis scale={x} plot={plot} ink={ink} label={chart.x_axis.label} />
        {series.map((name, at) => (
          <path
            key={name}
            data-testid="points"
            d={paths[at]!.join("")}
            stroke={colour(name)}
            stroke-width={wide}
            stroke-linecap="round"
            stroke-opacity={many > 1500 ? 0.6 : 0.85}
            fill="none"
          />
        ))}
      </>
    ),
    marks: [],
    brush: { x: x.invert, y: y.invert },
    pointAt: (left, top) => {
      let best = -1;
      let least = NEAR ** 2;
      for (let at = 0; at < many; at++) {
        const away = (x(points.x[at]!) - left) ** 2 + (y(points.y[at]!) - top) ** 2;
        if (away < least) [least, best] = [away, at];
      }
      if (best < 0) return null;
      const name = points.series ? `${chart.series[points.series[best]!]}: ` : "";
      const words = `${name}${chart.x_axis.label} ${formatNumber(points.x[best]!)}, ${chart.y_axis.label} ${formatNumber(points.y[best]!)}`;
      return { row: points.rows[best]!, at: [x(points.x[best]!), y(points.y[best]!)], words };
    },
  };
}

export function drawGroupMeans(room: Room): Drawing {
  const { chart, ink, size, isLog } = room;
  const known = chart.groups.filter((group) => group.value !== null && typeof group.x === "number");
  const plot: Box = { left: 40, top: 10, width: 0, height: size.height - 10 - BELOW };
  const values = known.flatMap(({ value, low, high }) => [value, low, high]);
  const y = valuesScale(values, [plot.top + plot.height, plot.top], isLog);
  plot.left = leftRoom(y.ticks.texts);
  plot.width = size.width - plot.left - 20;
  const along = known.flatMap((group) => [group.x as number, group.x_low, group.x_high]);
  const x = valuesScale(along, [plot.left, plot.left + plot.width], false);
  const taken: { left: number; right: number; top: number }[] = [];
  const marks: Placed[] = known.map((group) => {
    const [left, top] = [x(group.x as number), y(group.value!)];
    const colour = room.colour(group.name);
    const text = cut(group.name, 90);
    const width = textWidth(text);
    const before = left + 8 + width > plot.left + plot.width;
    const box = { left: before ? left - 8 - width : left + 7, right: before ? left - 7 : left + 8 + width, top };
    const isFree = taken.every(
      (other) => Math.abs(other.top - top) > 13 || other.right < box.left || other.left > box.right,
    );
    if (isFree) taken.push(box);
    return {
      group,
      at: [left, top],
      words: `${group.name}: ${chart.y_axis.label} ${valueWords(group)}, ${chart.x_axis.label} ${formatNumber(group.x as number)}, ${countWords(chart, group.count)}`,
      shape: { as: "circle", with: { cx: left, cy: top, r: 5, fill: colour, stroke: ink.background } },
      more: (
        <>
          {group.low !== null && group.high !== null && (
            <Whisker from={[left, y(group.low)]} to={[left, y(group.high)]} ink={colour} cap={2} />
          )}
          {group.x_low !== null && group.x_high !== null && (
            <Whisker from={[x(group.x_low), top]} to={[x(group.x_high), top]} ink={colour} cap={2} />
          )}
          {isFree && (
            <Text
              x={before ? left - 8 : left + 8}
              y={top - 4}
              ink={ink.text}
              anchor={before ? "end" : "start"}
              title={group.name}
            >
              {text}
            </Text>
          )}
        </>
      ),
    };
  });
  const line = isLog ? null : trend(known.map((group) => [group.x as number, group.value!]));
  return {
    height: size.height,
    plot,
    under: (
      <>
        <LeftAxis scale={y} plot={plot} ink={ink} label={chart.y_axis.label} />
        <BottomAxis scale={x} plot={plot} ink={ink} label={chart.x_axis.label} />
        {line && chart.correlation !== null && <Trend line={line} x={x} y={y} plot={plot} ink={ink.muted} />}
      </>
    ),
    marks,
    isGrid: true,
  };
}

/** The straight line of least squares; null where there is none. */
export function trend(points: readonly (readonly [number, number])[]): { slope: number; start: number } | null {
  if (points.length < 3) return null;
  const middle = (at: 0 | 1): number => points.reduce((sum, point) => sum + point[at], 0) / points.length;
  const [mx, my] = [middle(0), middle(1)];
  const spread = points.reduce((sum, [px]) => sum + (px - mx) ** 2, 0);
  if (spread === 0) return null;
  const slope = points.reduce((sum, [px, py]) => sum + (px - mx) * (py - my), 0) / spread;
  return { slope, start: my - slope * mx };
}

function Trend(props: {
  line: { slope: number; start: number };
  x: ReturnType<typeof numberScale>;
  y: ReturnType<typeof numberScale>;
  plot: Box;
  ink: string;
}) {
  const { line, x, y, ink } = props;
  // Only as far as the plot goes.
  const inside = [...Array(101).keys()]
    .map((at) => x.domain[0] + (at / 100) * (x.domain[1] - x.domain[0]))
    .map((value): [number, number] => [value, line.start + line.slope * value])
    .filter(([, value]) => value >= y.domain[0] && value <= y.domain[1]);
  if (inside.length < 2) return null;
  const [first, last] = [inside[0]!, inside[inside.length - 1]!];
  return <line x1={x(first[0])} y1={y(first[1])} x2={x(last[0])} y2={y(last[1])} stroke={ink} stroke-dasharray="4 4" />;
}
