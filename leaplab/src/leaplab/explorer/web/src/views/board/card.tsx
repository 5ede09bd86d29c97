/** A chart on its card: title, what it says, its menu, and what is chosen in it. */

import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { BoardChart, Chart } from "../../api/charts";
import { ChartTable } from "../../charts/chart-table";
import { ChartView, isEmpty } from "../../charts/chart-view";
import { pngOf, svgOf } from "../../charts/picture";
import { colouredBy, JUDGED, titleOf } from "../../state/board";
import type { Boards } from "../../state/boards";
import { Charting } from "../../state/charting";
import { tableOf } from "../../state/painting";
import { formatCount } from "../../ui/format";
import { Menu } from "../../ui/menu";
import { NumberField } from "../../ui/number-field";
import { save } from "../../ui/save";
import { Threshold } from "./threshold";

/** Height of a chart in CSS pixels; some need more, and what needs too much is scrolled. */
const HEIGHT = 236;
const MOST = 420;
/** How far below what is seen a card is asked for already. */
const NEAR = "300px";
/** Milliseconds without another move after which a moved threshold is asked for. */
const STILL = 120;
const RANGED = ["bar", "histogram", "line", "scatter"];

interface CardProps {
  boards: Boards;
  chart: BoardChart;
  id: string;
  at: number;
  count: number;
  edit: () => void;
  duplicate: () => void;
  move: (by: number) => void;
  resize: () => void;
  remove: () => void;
}

export function Card(props: CardProps) {
  const { boards, chart, id, at } = props;
  const { explorer } = boards;
  const host = useRef<HTMLElement>(null);
  const isNear = useSignal(false);
  const room = useSignal({ width: 0, height: HEIGHT });
  const needed = useSignal(0);
  const asTable = useSignal(false);
  const ranging = useSignal(false);
  const charting = useMemo(() => new Charting(explorer.client, boards.kept), []);
  useLayoutEffect(() => {
    const node = host.current!;
    const body = node.querySelector(".card-body")!;
    const measure = (): void => {
      const [width, height] = [Math.floor(body.clientWidth), Math.floor(body.clientHeight)];
      const before = room.peek();
      if (width !== before.width || height !== before.height) room.value = { width, height };
    };
    const resized = new ResizeObserver(measure);
    resized.observe(body);
    measure();
    const seen = new IntersectionObserver(
      (entries) => {
        isNear.value = entries.some((entry) => entry.isIntersecting);
      },
      { root: node.closest(".board-scroll"), rootMargin: NEAR },
    );
    seen.observe(node);
    return () => {
      resized.disconnect();
      seen.disconnect();
      charting.stop();
    };
  }, []);
  const asked = boards.asked(chart, id);
  const key = JSON.stringify(asked);
  const before = useRef(asked.threshold ?? null);
  useEffect(() => {
    if (!isNear.value) return;
    const isMoving = before.current !== (asked.threshold ?? null);
    before.current = asked.threshold ?? null;
    charting.ask(asked, isMoving ? STILL : 0);
  }, [key, isNear.value]);
  const { columns } = tableOf(explorer.run, chart.of ?? "samples");
  const labels = (name: string): string =>
    columns.find((each) => each.name === name)?.label ?? name.replace(/^[a-z]+\./, "");
  const title = titleOf(chart, labels);
  const drawn = charting.chart.value;
  const svg = (): string =>
    svgOf(host.current!.querySelector<SVGSVGElement>("svg.chart")!, title, explorer.theme.peek());
  const hasPicture = drawn !== null && !asTable.value && !isEmpty(drawn);
  const canRange = drawn?.x_axis.type === "number" && RANGED.includes(chart.kind) && drawn.x !== null;
  return (
    <article
      ref={host}
      class={chart.width === 2 ? "card wide" : "card"}
      aria-label={title}
      aria-busy={charting.isWaiting.value}
      data-testid={`card-${at}`}
      data-kind={chart.kind}
      data-state={
        charting.isWaiting.value ? "waiting" : charting.sentence.value !== null ? "failed" : drawn ? "here" : "far"
      }
    >
      <header class="card-head">
        <h3 title={title}>{title}</h3>
        {charting.isWaiting.value && drawn && <span class="spinner" />}
        {drawn && <Notices chart={drawn} />}
        <Menu
          label={`What to do with ${title}`}
          text={"\u22ef"}
          testId="card-menu"
          entries={[
            { label: "Edit\u2026", testId: "card-edit", act: props.edit },
            { label: "Duplicate", testId: "card-duplicate", act: props.duplicate },
            { label: "Move left", testId: "card-left", disabled: at === 0, act: () => props.move(-1) },
            { label: "Move right", testId: "card-right", disabled: at === props.count - 1, act: () => props.move(1) },
            { label: chart.width === 2 ? "Narrow" : "Wide", testId: "card-wide", act: props.resize },
            { label: "Remove", testId: "card-remove", act: props.remove },
            {
              label: asTable.value ? "Show as a picture" : "Show as a table",
              testId: "card-table",
              apart: true,
              disabled: !drawn,
              act: () => {
                asTable.value = !asTable.value;
              },
            },
            {
              label: "Choose a range by numbers",
              testId: "card-range",
              disabled: !canRange,
              act: () => {
                ranging.value = !ranging.value;
              },
            },
            {
              label: "Save as CSV",
              testId: "card-csv",
              apart: true,
              disabled: !drawn,
              act: () => void boards.saveTable(charting, title),
            },
            {
              label: "Save as SVG",
              testId: "card-svg",
              disabled: !hasPicture,
              act: () => save(new Blob([svg()], { type: "image/svg+xml" }), `${title}.svg`),
            },
            {
              label: "Save as PNG",
              testId: "card-png",
              disabled: !hasPicture,
              act: () => void pngOf(svg()).then((png) => save(png, `${title}.png`)),
            },
          ]}
        />
      </header>
      {drawn && (
        <p class="card-told" data-testid="card-told" title={drawn.told}>
          {drawn.told || counted(drawn)}
        </p>
      )}
      <div class="card-body" style={{ minHeight: `${Math.max(HEIGHT, Math.min(MOST, needed.value))}px` }}>
        <Body
          card={props}
          charting={charting}
          room={room.value}
          title={title}
          isTable={asTable.value}
          need={(height) => {
            needed.value = height;
          }}
        />
      </div>
      {drawn && ranging.value && canRange && <Ranges boards={boards} chart={drawn} charting={charting} id={id} />}
      {drawn && JUDGED.includes(chart.kind) && !isEmpty(drawn) && <Threshold boards={boards} chart={drawn} />}
    </article>
  );
}

interface BodyProps {
  card: CardProps;
  charting: Charting;
  room: { width: number; height: number };
  title: string;
  isTable: boolean;
  need: (height: number) => void;
}

function Body(props: BodyProps) {
  const { card, charting, room, title, isTable, need } = props;
  const { boards, chart, id } = card;
  const { explorer } = boards;
  const sentence = charting.sentence.value;
  const drawn = charting.chart.value;
  if (sentence !== null) {
    return (
      <div class="card-failed" role="alert" data-testid="card-failed">
        <p>{sentence}</p>
        <button type="button" class="link" onClick={card.edit}>
          Edit the chart
        </button>
        <button type="button" class="link" onClick={() => charting.retry()}>
          Retry
        </button>
      </div>
    );
  }
  if (!drawn) return <div class="card-waiting">{charting.isWaiting.value && <span class="spinner" />}</div>;
  if (isEmpty(drawn)) {
    return (
      <p class="card-empty" data-testid="card-empty">
        {drawn.told || "No sample that is shown has all the values that this chart needs."}
      </p>
    );
  }
  if (isTable) return <ChartTable chart={drawn} label={title} />;
  if (!room.width) return null;
  const canBrush = RANGED.includes(drawn.kind) && drawn.x_axis.type === "number";
  return (
    <ChartView
      chart={drawn}
      size={room}
      onNeed={need}
      theme={explorer.theme.value}
      colours={boards.colours(colouredBy(drawn))}
      isLog={chart.axis === "log"}
      marked={(mark) => boards.marked(drawn, id, mark)}
      onMark={boards.chooses(drawn) ? (mark, more) => boards.choose(charting, id, mark, more) : undefined}
      onBrush={canBrush ? (area) => boards.brush(drawn, charting, id, area) : undefined}
      onPoint={(row) => row >= 0 && explorer.openPoint(row, drawn.of === "objects" ? "objects" : "samples")}
    />
  );
}

/** The same as to draw on the chart, by keyboard. */
function Ranges({ boards, chart, charting, id }: { boards: Boards; chart: Chart; charting: Charting; id: string }) {
  const { filters } = boards.explorer.view.value;
  const of = (column: string | null) => filters.find((filter) => filter.column === column);
  const [x, y] = [of(chart.x), chart.kind === "scatter" ? of(chart.y) : undefined];
  const now = (filter: typeof x) => ({ low: filter?.low ?? null, high: filter?.high ?? null });
  const axes = chart.kind === "scatter" ? (["x", "y"] as const) : (["x"] as const);
  return (
    <div class="card-ranges">
      {axes.map((axis) => {
        const range = now(axis === "x" ? x : y);
        const { label } = chart[`${axis}_axis`];
        const change = (patch: Partial<typeof range>): void => {
          const next = { ...range, ...patch };
          boards.range(
            chart,
            charting,
            id,
            axis === "x" ? next : now(x),
            axis === "y" ? next : chart.kind === "scatter" ? now(y) : null,
          );
        };
        return (
          <div key={axis} class="column-range">
            <NumberField
              value={range.low}
              change={(low) => change({ low })}
              label={`${label}, at least`}
              placeholder={`${label} from`}
              testId={`range-${axis}-low`}
            />
            <NumberField
              value={range.high}
              change={(high) => change({ high })}
              label={`${label}, at most`}
              placeholder="to"
              testId={`range-${axis}-high`}
            />
          </div>
        );
      })}
    </div>
  );
}

/** What to know before trusting it, on demand. */
function Notices({ chart }: { chart: Chart }) {
  const open = useSignal(false);
  if (!chart.notices.length) return null;
  return (
    <div class="card-notices">
      <button
        type="button"
        class="menu-button know"
        aria-expanded={open.value}
        aria-label="What to know about this chart"
        title={chart.notices.join(" ")}
        data-testid="card-notices"
        onClick={() => {
          open.value = !open.value;
        }}
      >
        <span aria-hidden="true">i</span>
      </button>
      {open.value && (
        <ul class="menu-list">
          {chart.notices.map((notice) => (
            <li key={notice}>{notice}</li>
          ))}
        </ul>
      )}
    </div>
  );
}

function counted(chart: Chart): string {
  return `${formatCount(chart.count)} ${chart.of}${chart.absent ? `, ${formatCount(chart.absent)} without a value` : ""}.`;
}
