/** Curves: how a training went, and what moving a threshold trades. */

import { formatNumber, formatRounded } from "../ui/format";
import { BELOW, BottomAxis, endsOf, LeftAxis, leftRoom, legendRows, numberScale, valuesScale } from "./axes";
import { type ChartProps, Figure } from "./figure";
import type { Box, Drawing, Placed, Room } from "./room";

export const CurveChart = (props: ChartProps) => <Figure {...props} draw={drawCurves} />;

const SHARES = ["roc", "precision-recall"];
/** Curves that have a name in the legend; more would be a thicket. */
const MOST_NAMED = 12;

export function drawCurves(room: Room): Drawing {
  const { chart, ink, colour, size, isLog } = room;
  const names = chart.curves.map(({ name }) => name);
  const legend = legendRows(room, names.length > 1 ? names.slice(0, MOST_NAMED) : []);
  const isShare = SHARES.includes(chart.kind);
  const plot: Box = { left: 40, top: legend.height + 6, width: 0, height: size.height - legend.height - 6 - BELOW };
  const up: [number, number] = [plot.top + plot.height, plot.top];
  const y = isShare
    ? numberScale([0, 1], up, { exact: true, apart: 36 })
    : valuesScale(
        chart.curves.flatMap((curve) => curve.y),
        up,
        isLog,
        0,
      );
  plot.left = leftRoom(y.ticks.texts);
  plot.width = size.width - plot.left - 20;
  const x = numberScale(
    isShare ? [0, 1] : endsOf(chart.curves.flatMap((curve) => curve.x)),
    [plot.left, plot.left + plot.width],
    { exact: true },
  );
  const marks: Placed[] = outcomesAt(room).map(({ outcome, at: [px, py], isBest }) => {
    const tint = colour(outcome.name);
    const [left, top] = [x(px), y(py)];
    const told = [
      `${outcome.name} ${isBest ? "where F1 is highest" : "at the threshold"} ${formatRounded(outcome.threshold)}:`,
      `precision ${told3(outcome.precision)}, recall ${told3(outcome.recall)}, F1 ${told3(outcome.f1)}`,
    ].join(" ");
    return {
      group: { ...NO_GROUP, name: outcome.name },
      at: [left, top],
      words: told,
      shape: isBest
        ? {
            as: "path",
            with: {
              d: `M${left} ${top - 5.5}L${left + 5.5} ${top}L${left} ${top + 5.5}L${left - 5.5} ${top}Z`,
              fill: ink.background,
              stroke: tint,
              "stroke-width": 1.6,
            },
          }
        : { as: "circle", with: { cx: left, cy: top, r: 4.5, fill: tint, stroke: ink.background } },
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
        {chart.kind === "roc" && (
          <line x1={x(0)} y1={y(0)} x2={x(1)} y2={y(1)} stroke={ink.axis} stroke-dasharray="4 4" />
        )}
        {chart.curves.map((curve) => {
          let pen = "M";
          const d = curve.x
            .map((value, at) => {
              const height = curve.y[at];
              if (height === null || height === undefined || (isLog && height <= 0)) {
                pen = "M";
                return "";
              }
              const part = `${pen}${x(value).toFixed(1)} ${y(height).toFixed(1)}`;
              pen = "L";
              return part;
            })
            .join("");
          const isAll = curve.name === "all";
          return (
            <path
              key={curve.name}
              data-testid="curve"
              d={d}
              fill="none"
              stroke={colour(curve.name)}
              stroke-width={isAll ? 2.4 : 1.5}
              stroke-linejoin="round"
            >
              <title>{curve.name}</title>
            </path>
          );
        })}
      </>
    ),
    marks,
    pointAt: (left, top) => {
      let best: { row: number; at: [number, number]; words: string } | null = null;
      let least = 14 ** 2;
      for (const curve of chart.curves) {
        curve.x.forEach((value, at) => {
          const height = curve.y[at];
          if (height === null || height === undefined) return;
          const [px, py] = [x(value), y(height)];
          const away = (px - left) ** 2 + (py - top) ** 2;
          if (away >= least) return;
          least = away;
          const threshold = curve.threshold ? `, threshold ${told3(curve.threshold[at] ?? null)}` : "";
          const words = `${curve.name}: ${chart.x_axis.label} ${formatNumber(Number(value.toPrecision(4)))}, ${chart.y_axis.label} ${formatNumber(Number(height.toPrecision(4)))}${threshold}`;
          best = { row: -1, at: [px, py], words };
        });
      }
      return best;
    },
  };
}

const told3 = (value: number | null): string => (value === null ? "\u2014" : formatRounded(value));

const NO_GROUP = {
  name: "", count: 0, value: null, low: null, high: null, series: null, x: null, x_low: null, x_high: null, y: null,
  y_low: null, y_high: null, box: null,
}; // biome-ignore format: one line a row

/** Where the outcomes lie on the curve of all: at the threshold, and at the highest F1. */
function outcomesAt({
  chart,
}: Room): { outcome: Room["chart"]["outcomes"][number]; at: [number, number]; isBest: boolean }[] {
  const place = (outcome: Room["chart"]["outcomes"][number]): [number, number] | null => {
    if (outcome.recall === null) return null;
    if (chart.kind === "precision-recall")
      return outcome.precision === null ? null : [outcome.recall, outcome.precision];
    if (chart.kind !== "roc" || outcome.true_negatives === null) return null;
    const negatives = outcome.true_negatives + outcome.false_positives;
    return negatives ? [outcome.false_positives / negatives, outcome.recall] : null;
  };
  const few = chart.curves.length === 1 ? chart.curves[0]!.name : "all";
  return [
    ...chart.best.map((outcome) => ({ outcome, isBest: true })),
    ...chart.outcomes.map((outcome) => ({ outcome, isBest: false })),
  ]
    .filter(({ outcome }) => outcome.name === few)
    .flatMap((each) => {
      const at = place(each.outcome);
      return at ? [{ ...each, at }] : [];
    });
}
