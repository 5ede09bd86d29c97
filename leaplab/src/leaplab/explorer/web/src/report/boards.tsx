/** The charts of a report's boards. */

import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Chart } from "../api/charts";
import { ChartView, isEmpty } from "../charts/chart-view";
import type { Colours } from "../charts/room";
import type { Theme } from "../points/scales";
import { colouredBy, titleOf } from "../state/board";
import { coloursOf } from "./colours";
import type { AskedChart, DrawnMap, ShownBoard } from "./content";

const HEIGHT = 250;

interface Props {
  boards: readonly ShownBoard[];
  map: DrawnMap | null;
  theme: Theme;
}

export function BoardSection({ boards, map, theme }: Props) {
  const shown = boards.filter(({ charts }) => charts.length > 0);
  if (shown.length === 0) return null;
  return (
    <section class="report-section" aria-labelledby="charts-title">
      <h2 id="charts-title">Charts</h2>
      {shown.map(({ name, charts }) => (
        <div key={name}>
          {boards.length > 1 && <h3 class="report-board">{name}</h3>}
          <div class="report-charts">
            {charts.map((each, at) => (
              <Card key={`${name} ${at}`} asked={each} map={map} theme={theme} />
            ))}
          </div>
        </div>
      ))}
    </section>
  );
}

function Card({ asked, map, theme }: { asked: AskedChart; map: DrawnMap | null; theme: Theme }) {
  const host = useRef<HTMLDivElement>(null);
  const width = useSignal(0);
  const chart = asked.chart as Chart | null;
  useLayoutEffect(() => {
    const measure = (): void => {
      width.value = Math.floor(host.current!.clientWidth);
    };
    const resized = new ResizeObserver(measure);
    resized.observe(host.current!);
    measure();
    return () => resized.disconnect();
  }, []);
  const title = titleOf(asked.asked, (column) => labelOf(column, chart));
  return (
    <article class={asked.asked.width === 2 ? "report-chart wide" : "report-chart"} aria-label={title}>
      <h3>{title}</h3>
      <p class="report-told">{chart ? chart.told : asked.sentence}</p>
      <div ref={host}>
        {chart && !isEmpty(chart) && width.value > 0 && (
          <ChartView
            chart={chart}
            size={{ width: width.value, height: HEIGHT }}
            theme={theme}
            colours={coloursOfMap(map, colouredBy(chart), theme)}
            isLog={asked.asked.axis === "log"}
          />
        )}
      </div>
      {chart?.notices.map((notice) => (
        <p key={notice} class="report-note">
          {notice}
        </p>
      ))}
    </article>
  );
}

/** Categories have the colours of the map, where it is coloured by the same column. */
function coloursOfMap(map: DrawnMap | null, column: string | null, theme: Theme): Colours | undefined {
  const categories = map?.column?.name === column ? map?.column?.categories : null;
  if (!map || !categories) return undefined;
  const colours = coloursOf(map, theme);
  return new Map(categories.map((category, code) => [category, colours[code + 1]!]));
}

function labelOf(column: string, chart: Chart | null): string {
  const axis = [chart?.x_axis, chart?.y_axis].find((each) => each?.column === column && chart?.kind !== "group-means");
  if (axis && axis.column === chart?.x) return axis.label;
  return column.slice(column.indexOf(".") + 1);
}
