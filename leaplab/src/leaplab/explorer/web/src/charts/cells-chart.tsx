/** Cells of two axes: heat-maps, confusion matrices, and correlations of each column with each. */

import { scaleBand } from "d3-scale";
import type { Axis, Group } from "../api/charts";
import { sequential, type Theme } from "../points/scales";
import { formatCount, formatName, formatNumber, formatRounded } from "../ui/format";
import {
  AxisName,
  axisEnds,
  BelowName,
  BottomAxis,
  clamped,
  endsOf,
  LeftNames,
  leftRoom,
  numberScale,
  Text,
  Whisker,
} from "./axes";
import { type ChartProps, Figure } from "./figure";
import {
  type Box,
  countWords,
  cut,
  type Drawing,
  inkOn,
  LINE,
  markWords,
  type Placed,
  type Room,
  shortValue,
  textWidth,
  valueWords,
} from "./room";
import { ticksOf } from "./ticks";

export const HeatmapChart = (props: ChartProps) => <Figure {...props} draw={drawHeatmap} />;
export const ConfusionChart = (props: ChartProps) => <Figure {...props} draw={drawConfusion} />;
export const CorrelationChart = (props: ChartProps) => <Figure {...props} draw={drawCorrelation} />;

/** Where cells lie along an axis: categories side by side, bins by their edges. */
interface Along {
  names: { text: string; at: number; step: number }[];
  from: (group: Group) => [number, number];
}

function along(axis: Axis, groups: readonly Group[], which: "x" | "y", range: [number, number]): Along {
  if (axis.type === "category") {
    const names = axis.categories ?? [];
    const band = scaleBand<string>(names, range);
    return {
      names: names.map((text) => ({ text, at: (band(text) ?? 0) + band.bandwidth() / 2, step: band.step() })),
      from: (group) => [band(String(group[which])) ?? 0, band.bandwidth()],
    };
  }
  const edges = groups.flatMap((group) => [group[`${which}_low`], group[`${which}_high`]]);
  const scale = numberScale(axisEnds(axis, edges), range, { exact: true });
  const within = clamped(scale);
  const ticks = ticksOf(...scale.domain, Math.abs(range[1] - range[0]), which === "x" ? 56 : 28);
  return {
    names: ticks.values.map((value, at) => ({ text: ticks.texts[at]!, at: scale(value), step: 56 })),
    from: (group) => {
      const [one, other] = [within(group[`${which}_low`] ?? 0), within(group[`${which}_high`] ?? 0)];
      return [Math.min(one, other), Math.abs(one - other)];
    },
  };
}

interface Cells {
  fill: (group: Group) => string;
  text: (group: Group) => string;
  words: (group: Group) => string;
  /** The colours' own legend. */
  scale: { low: string; high: string; colours: string[] };
  /** Whether the second axis begins at the top. */
  isTopFirst: boolean;
  /** How its categories are written. */
  name?: (category: string) => string;
}

const LONGEST_NAME = 110;

function drawCells(room: Room, cells: Cells): Drawing {
  const { chart, ink, size } = room;
  const written = cells.name ?? ((name: string) => name);
  const rows = (chart.y_axis.categories ?? []).map(written);
  const columns = (chart.x_axis.categories ?? []).map(written);
  const room_for = (texts: readonly string[]): number =>
    Math.min(LONGEST_NAME, Math.max(16, ...texts.map((text) => textWidth(text))) + 4);
  const names = chart.y_axis.type === "category" ? room_for(rows) : leftRoom(["0.00"]) - 24;
  const left = names + 26;
  const plot: Box = { left, top: 22, width: size.width - left - 8, height: 0 };
  // Names that do not fit lying stand.
  const stepped = plot.width / Math.max(1, columns.length);
  const isTurned = columns.some((name) => textWidth(name) > stepped - 4);
  const foot = isTurned ? Math.min(80, room_for(columns)) + 8 : LINE + 4;
  const needed = rows.length * 15 + 22 + foot + LINE + 8;
  const height = Math.max(size.height, needed);
  // Lower, rows of names would run into each other.
  plot.height = height - plot.top - foot - LINE - 4;
  const x = along(chart.x_axis, chart.groups, "x", [plot.left, plot.left + plot.width]);
  const up: [number, number] = [plot.top + plot.height, plot.top];
  const y = along(
    chart.y_axis,
    chart.groups,
    "y",
    cells.isTopFirst && chart.y_axis.type === "category" ? [up[1], up[0]] : up,
  );
  const marks: Placed[] = chart.groups
    .filter(({ value }) => value !== null)
    .map((group) => {
      const [[cellLeft, width], [cellTop, tall]] = [x.from(group), y.from(group)];
      const fill = cells.fill(group);
      const text = cells.text(group);
      const fits = text !== "" && textWidth(text, 10) <= width - 4 && tall >= 11;
      return {
        group,
        at: [cellLeft + width / 2, cellTop + tall / 2],
        words: cells.words(group),
        shape: {
          as: "rect",
          with: {
            x: cellLeft + 0.5,
            y: cellTop + 0.5,
            width: Math.max(0.5, width - 1),
            height: Math.max(0.5, tall - 1),
            fill,
          },
        },
        more: fits && (
          <Text x={cellLeft + width / 2} y={cellTop + tall / 2 + 3.5} ink={inkOn(fill)} anchor="middle" size={10}>
            {text}
          </Text>
        ),
      };
    });
  const base = plot.top + plot.height;
  return {
    height,
    needed,
    plot,
    isGrid: true,
    under: (
      <>
        <ColourScale scale={cells.scale} right={plot.left + plot.width} ink={ink.muted} />
        <LeftNames
          names={y.names.map(({ text }) => text)}
          middle={(_, place) => y.names[place]!.at}
          written={written}
          room={names}
          plot={plot}
          ink={ink}
        />
        {x.names.map(({ text, at, step }) =>
          isTurned ? (
            <text
              key={text}
              x={at + 4}
              y={base + 6}
              fill={ink.muted}
              font-size={11}
              text-anchor="end"
              transform={`rotate(-90 ${at + 4} ${base + 6})`}
            >
              <title>{text}</title>
              {cut(written(text), foot - 8)}
            </text>
          ) : (
            <Text key={text} x={at} y={base + 14} ink={ink.muted} anchor="middle" title={text}>
              {cut(written(text), Math.max(20, step - 2))}
            </Text>
          ),
        )}
        <AxisName label={chart.y_axis.label} plot={plot} ink={ink} />
        <BelowName label={chart.x_axis.label} plot={{ ...plot, height: plot.height + foot - 18 }} ink={ink} />
      </>
    ),
    marks,
  };
}

/** From the least to the greatest, at the top right. */
function ColourScale({ scale, right, ink }: { scale: Cells["scale"]; right: number; ink: string }) {
  const width = 90;
  const left = right - width - textWidth(scale.high) - 6;
  const step = width / scale.colours.length;
  return (
    <g>
      <Text x={left - 5} y={12} ink={ink} anchor="end">
        {scale.low}
      </Text>
      {scale.colours.map((colour, at) => (
        <rect key={at} x={left + at * step} y={4} width={step + 0.5} height={9} fill={colour} />
      ))}
      <Text x={right} y={12} ink={ink} anchor="end">
        {scale.high}
      </Text>
    </g>
  );
}

const STEPS = 24;
const along24 = (colour: (t: number) => string): string[] =>
  Array.from({ length: STEPS }, (_, at) => colour(at / (STEPS - 1)));

export function drawHeatmap(room: Room): Drawing {
  const { chart, theme } = room;
  const [low, high] = endsOf(chart.groups.map(({ value }) => value));
  const isCount = chart.aggregate === "count";
  const from = isCount ? 0 : low;
  // Counts crowd near zero.
  const place = (value: number): number => {
    const t = high > from ? (value - from) / (high - from) : 0.5;
    return isCount ? Math.sqrt(t) : t;
  };
  return drawCells(room, {
    fill: ({ value }) => sequential(place(value!), theme),
    text: ({ value }) => shortValue(value!),
    words: (group) => markWords(chart, { ...group, name: cellName(chart.x_axis, chart.y_axis, group) }),
    scale: {
      low: shortValue(from),
      high: shortValue(high),
      colours: along24((t) => sequential(isCount ? Math.sqrt(t) : t, theme)),
    },
    isTopFirst: false,
  });
}

function cellName(x: Axis, y: Axis, group: Group): string {
  const told = (axis: Axis, value: Group["x"], low: number | null, high: number | null): string =>
    `${axis.label} ${axis.type === "number" && low !== null && high !== null ? `${formatNumber(low)} to ${formatNumber(high)}` : value}`;
  return `${told(x, group.x, group.x_low, group.x_high)}, ${told(y, group.y, group.y_low, group.y_high)}`;
}

/** What is right is blue, what is not orange, and the more of the true class the stronger. */
export function drawConfusion(room: Room): Drawing {
  const { chart, theme, ink } = room;
  const right = (group: Group): boolean => group.x === group.y;
  const tint = (share: number, isRight: boolean): string =>
    mixed(ink.background, isRight ? blue(theme) : orange(theme), share ** (isRight ? 0.6 : 0.35));
  return drawCells(room, {
    fill: (group) => tint(group.value!, right(group)),
    text: ({ count }) => (count ? formatCount(count) : ""),
    words: (group) => {
      const share = `${formatRounded(100 * group.value!)} % of ${group.y}`;
      return `${group.y} taken for ${group.x}: ${countWords(chart, group.count)}, ${share}`;
    },
    scale: {
      low: "wrong",
      high: "right",
      colours: [...along24((t) => tint(1 - t, false)).slice(0, 18), ...along24((t) => tint(t, true)).slice(6)],
    },
    isTopFirst: true,
  });
}

export function drawCorrelation(room: Room): Drawing {
  const { chart, theme, ink } = room;
  const isList =
    chart.groups.every((group) => group.y === null || group.y === chart.groups[0]!.y) && chart.groups.length > 0;
  if (isList) return drawCorrelationList(room);
  const tint = (r: number): string => mixed(ink.background, r < 0 ? orange(theme) : blue(theme), Math.abs(r));
  return drawCells(room, {
    fill: ({ value }) => tint(value!),
    text: ({ value }) => shares(value!),
    words: (group) => `${group.name}: r ${valueWords(group)}, ${countWords(chart, group.count)}`,
    scale: { low: "\u22121", high: "1", colours: along24((t) => tint(2 * t - 1)) },
    isTopFirst: true,
    name: bareNames([...(chart.x_axis.categories ?? []), ...(chart.y_axis.categories ?? [])]),
  });
}

/** "\u2212.35". */
function shares(r: number): string {
  return r.toFixed(2).replace("0.", ".").replace("-", "\u2212");
}

/** Names of columns without their groups, where that tells them apart. */
function bareNames(names: readonly string[]): (name: string) => string {
  const bare = (name: string): string => formatName(name.replace(/^[a-z]+\./, ""));
  const counts = new Map<string, number>();
  for (const name of new Set(names)) counts.set(bare(name), (counts.get(bare(name)) ?? 0) + 1);
  return (name) => (counts.get(bare(name)) === 1 ? bare(name) : formatName(name));
}

function drawCorrelationList(room: Room): Drawing {
  const { chart, ink, size, theme } = room;
  const known = chart.groups.filter(({ value }) => value !== null);
  const names = known.map((group) => String(group.x ?? group.name));
  const written = bareNames(names);
  const needed = known.length * 17 + 50;
  const height = Math.max(size.height, needed);
  const longest = Math.min(size.width * 0.42, Math.max(20, ...names.map((name) => textWidth(written(name)))) + 4);
  const plot: Box = { left: longest + 10, top: 6, width: size.width - longest - 26, height: height - 6 - 38 };
  const x = numberScale([-1, 1], [plot.left, plot.left + plot.width], { exact: true });
  const band = scaleBand<string>(names, [plot.top, plot.top + plot.height])
    .paddingInner(0.35)
    .paddingOuter(0.2);
  return {
    height,
    needed,
    plot,
    under: (
      <>
        <BottomAxis scale={x} plot={plot} ink={ink} label={`r with ${chart.y_axis.label}`} grid />
        <LeftNames
          names={names}
          middle={(name) => (band(name) ?? 0) + band.bandwidth() / 2}
          written={written}
          room={longest}
          plot={plot}
          ink={ink}
        />
        <line x1={x(0)} x2={x(0)} y1={plot.top} y2={plot.top + plot.height} stroke={ink.axis} />
      </>
    ),
    marks: known.map((group, at) => {
      const middle = (band(names[at]!) ?? 0) + band.bandwidth() / 2;
      const value = group.value!;
      return {
        group,
        at: [x(value), middle],
        words: `${group.name}: r ${valueWords(group)}, ${countWords(chart, group.count)}`,
        shape: {
          as: "rect",
          with: {
            x: Math.min(x(0), x(value)),
            width: Math.max(1, Math.abs(x(value) - x(0))),
            y: middle - Math.min(7, band.bandwidth() / 2),
            height: Math.min(14, band.bandwidth()),
            fill: value < 0 ? orange(theme) : blue(theme),
          },
        },
        more: group.low !== null && group.high !== null && (
          <Whisker from={[x(group.low), middle]} to={[x(group.high), middle]} ink={ink.text} />
        ),
      };
    }),
  };
}

const blue = (theme: Theme): string => (theme === "dark" ? "#2da5ff" : "#1560b0");
const orange = (theme: Theme): string => (theme === "dark" ? "#e08a1e" : "#b35900");

/** Between two colours, by shares of their channels. */
export function mixed(from: string, to: string, share: number): string {
  const [a, b] = [from, to].map((colour) => parseInt(colour.slice(1), 16)) as [number, number];
  const channel = (shift: number): number =>
    Math.round(((a >> shift) & 255) * (1 - share) + ((b >> shift) & 255) * share);
  return `#${[16, 8, 0].map((shift) => channel(shift).toString(16).padStart(2, "0")).join("")}`;
}
