/** The frame of every chart: its picture, what a pointer and the keys do in it, and what a mark says. */

import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Chart, Group } from "../api/charts";
import type { Theme } from "../points/scales";
import { type Colours, type Drawing, FONT, INK, type Placed, type Room, type Size, seriesColours } from "./room";

/** What was drawn around, in the chart's numbers. */
export interface Brushed {
  x: [number, number];
  y: [number, number] | null;
  /** How much of each is a pixel. */
  pixel: [number, number];
}

export interface ChartProps {
  chart: Chart;
  /** At least so high. */
  size: Size;
  theme: Theme;
  /** Of the series. */
  colours?: Colours | undefined;
  isLog?: boolean;
  /** Whether a mark stands out; null where none does. */
  marked?: ((mark: Group) => boolean | null) | undefined;
  /** @param more whether what is marked stays so. */
  onMark?: ((mark: Group, more: boolean) => void) | undefined;
  onBrush?: ((drawn: Brushed) => void) | undefined;
  onPoint?: ((row: number) => void) | undefined;
  /** Tells how high it would like to be. */
  onNeed?: ((height: number) => void) | undefined;
}

/** Pixels that what is told of a mark may need above it. */
const TALL = 64;

/** Pixels from which on a pressed pointer draws. */
const DRAWN = 4;

export function Figure({ draw, ...props }: ChartProps & { draw: (room: Room) => Drawing }) {
  const { chart, size, theme, marked, onMark, onBrush, onPoint } = props;
  const host = useRef<SVGSVGElement>(null);
  const told = useSignal<{ words: string; at: [number, number] } | null>(null);
  const current = useSignal(0);
  const drawn = useSignal<{ from: [number, number]; to: [number, number] } | null>(null);
  const names = namesIn(chart);
  const ink = INK[theme];
  const colour = seriesColours(names, props.colours, theme);
  const drawing = draw({ chart, size, ink, theme, colour, isLog: props.isLog ?? false });
  const { marks, plot, brush } = drawing;
  const needed = drawing.needed ?? 0;
  // Who hears how high it would like to be lets it scroll until then.
  const isScrolled = props.onNeed !== undefined && drawing.height > size.height;
  useLayoutEffect(() => props.onNeed?.(needed), [needed]);
  const focusable = Math.min(current.value, marks.length - 1);

  const place = (event: PointerEvent | MouseEvent): [number, number] => {
    const box = host.current!.getBoundingClientRect();
    return [
      ((event.clientX - box.left) * size.width) / box.width,
      ((event.clientY - box.top) * drawing.height) / box.height,
    ];
  };
  const isInPlot = ([x, y]: [number, number]): boolean =>
    x >= plot.left - 2 && x <= plot.left + plot.width + 2 && y >= plot.top - 2 && y <= plot.top + plot.height + 2;
  const finish = (): void => {
    const area = drawn.value;
    drawn.value = null;
    if (!area || !brush || !onBrush) return;
    const { from, to } = area;
    const isFlat = Math.abs(from[0] - to[0]) < DRAWN && (!brush.y || Math.abs(from[1] - to[1]) < DRAWN);
    if (isFlat) return;
    const [left, right] = [Math.min(from[0], to[0]), Math.max(from[0], to[0])];
    const [top, bottom] = [Math.min(from[1], to[1]), Math.max(from[1], to[1])];
    onBrush({
      x: [brush.x(left), brush.x(right)],
      y: brush.y ? [brush.y(bottom), brush.y(top)] : null,
      pixel: [Math.abs(brush.x(left + 1) - brush.x(left)), brush.y ? Math.abs(brush.y(top + 1) - brush.y(top)) : 1],
    });
  };
  const keyed = (event: KeyboardEvent): void => {
    const next = nextMark(marks, focusable, event.key, drawing.isGrid ?? false);
    if (next === null) return;
    event.preventDefault();
    current.value = next;
    host.current!.querySelectorAll<SVGGElement>(".mark")[next]?.focus();
  };
  const area = drawn.value;
  return (
    <div class="figure" {...(isScrolled ? { tabIndex: 0, role: "group", "aria-label": "The whole chart" } : {})}>
      <svg
        ref={host}
        class="chart"
        width={size.width}
        height={drawing.height}
        viewBox={`0 0 ${size.width} ${drawing.height}`}
        role={marks.length ? "group" : "img"}
        aria-label={chart.told}
        font-family={FONT}
        onKeyDown={keyed}
        onPointerDown={(event) => {
          const at = place(event);
          if (event.button !== 0 || !brush || !onBrush || !isInPlot(at)) return;
          drawn.value = { from: at, to: at };
        }}
        onPointerMove={(event) => {
          const at = place(event);
          if (drawn.value) {
            // A click on a mark stays one, so the pointer is held only when it has moved.
            if (!host.current!.hasPointerCapture(event.pointerId) && far(drawn.value.from, at)) {
              host.current!.setPointerCapture(event.pointerId);
            }
            drawn.value = { from: drawn.value.from, to: at };
          } else if (drawing.pointAt) {
            const point = isInPlot(at) ? drawing.pointAt(...at) : null;
            told.value = point && { words: point.words, at: point.at };
          }
        }}
        onPointerUp={(event) => {
          const at = place(event);
          const moved = drawn.value ? far(drawn.value.from, at) : false;
          finish();
          const point = !moved && drawing.pointAt && isInPlot(at) ? drawing.pointAt(...at) : null;
          if (point && onPoint) onPoint(point.row);
        }}
        onPointerCancel={() => {
          drawn.value = null;
        }}
        onPointerLeave={() => {
          told.value = null;
        }}
      >
        {drawing.under}
        <g>
          {marks.map((mark, at) => (
            <MarkShape
              key={at}
              mark={mark}
              ink={ink.text}
              state={marked?.(mark.group) ?? null}
              isFocusable={at === focusable}
              chosen={onMark ? (more) => onMark(mark.group, more) : undefined}
              tell={(is) => {
                if (is) current.value = at;
                told.value = is ? { words: mark.words, at: mark.at } : null;
              }}
            />
          ))}
        </g>
        {drawing.over}
        {area && brush && far(area.from, area.to) && (
          <rect
            x={Math.min(area.from[0], area.to[0])}
            width={Math.abs(area.from[0] - area.to[0])}
            y={brush.y ? Math.min(area.from[1], area.to[1]) : plot.top}
            height={brush.y ? Math.abs(area.from[1] - area.to[1]) : plot.height}
            fill={ink.mark}
            fill-opacity={0.15}
            stroke={ink.mark}
          />
        )}
      </svg>
      {told.value && (
        <div
          class={["chart-told", told.value.at[0] > size.width / 2 && "left", told.value.at[1] < TALL && "below"]
            .filter(Boolean)
            .join(" ")}
          style={{ left: `${told.value.at[0]}px`, top: `${told.value.at[1]}px` }}
          aria-hidden="true"
        >
          {told.value.words}
        </div>
      )}
    </div>
  );
}

function MarkShape(props: {
  mark: Placed;
  ink: string;
  state: boolean | null;
  isFocusable: boolean;
  chosen: ((more: boolean) => void) | undefined;
  tell: (is: boolean) => void;
}) {
  const { mark, ink, state, isFocusable, chosen, tell } = props;
  const Shape = mark.shape.as;
  const outline = state === true ? { stroke: ink, "stroke-width": 1.8, "stroke-opacity": 1 } : {};
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: its role is that of a button where it can be chosen.
    <g
      class={chosen ? "mark can" : "mark"}
      data-testid="mark"
      role={chosen ? "button" : "img"}
      tabIndex={isFocusable ? 0 : -1}
      aria-label={mark.words}
      {...(chosen ? { "aria-pressed": state === true } : {})}
      opacity={state === false ? 0.32 : 1}
      onClick={(event) => chosen?.(event.shiftKey || event.ctrlKey || event.metaKey)}
      onKeyDown={(event) => {
        if (!chosen || (event.key !== "Enter" && event.key !== " ")) return;
        event.preventDefault();
        chosen(event.shiftKey || event.ctrlKey || event.metaKey);
      }}
      onPointerEnter={() => tell(true)}
      onPointerLeave={() => tell(false)}
      onFocus={() => tell(true)}
      onBlur={() => tell(false)}
    >
      <Shape {...mark.shape.with} {...outline} />
      {mark.more}
    </g>
  );
}

/** What has a colour of its own. */
function namesIn({ kind, series, curves, groups }: Chart): string[] {
  if (kind === "group-means") return groups.map(({ name }) => name);
  return series.length ? series : curves.map(({ name }) => name);
}

function far(from: [number, number], to: [number, number]): boolean {
  return Math.abs(from[0] - to[0]) >= DRAWN || Math.abs(from[1] - to[1]) >= DRAWN;
}

const BY: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/**
 * The mark that a key goes to: in a grid the nearest in its direction, else the one before or behind; null for none.
 */
export function nextMark(
  marks: readonly Pick<Placed, "at">[],
  from: number,
  key: string,
  isGrid: boolean,
): number | null {
  if (!marks.length) return null;
  if (key === "Home") return 0;
  if (key === "End") return marks.length - 1;
  const by = BY[key];
  if (!by) return null;
  if (!isGrid) {
    const next = from + by[0] + by[1];
    return next < 0 || next >= marks.length ? null : next;
  }
  const [x, y] = marks[from]!.at;
  let best: number | null = null;
  let least = Infinity;
  marks.forEach(({ at }, place) => {
    const [dx, dy] = [at[0] - x, at[1] - y];
    const ahead = dx * by[0] + dy * by[1];
    if (place === from || ahead <= 0.01) return;
    const cost = ahead + 2 * (Math.abs(dx * by[1]) + Math.abs(dy * by[0]));
    if (cost < least) [least, best] = [cost, place];
  });
  return best;
}
