/** The map, its buttons, and what is said over it. */

import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Tool } from "../points/gestures";
import { PopulationMap } from "../points/map";
import type { Direction } from "../points/steps";
import { rowsOf } from "../state/chosen";
import type { Explorer } from "../state/explorer";
import { shareOf } from "../state/progress";
import { formatCount } from "../ui/format";
import { projectionName } from "./toolbar";

const STEP = 0.2;
const ZOOM = 1.5;
const HELP =
  "Map: arrow keys move, plus and minus zoom, 0 shows all, Z shows what is selected or filtered; Enter opens the sample in" +
  " the middle, Shift and an arrow key the next one in that direction, square brackets step through the gallery";

export function MapView({ explorer }: { explorer: Explorer }) {
  const host = useRef<HTMLDivElement>(null);
  const map = useRef<PopulationMap | null>(null);
  const tool = useSignal<Tool>("move");
  const broken = useSignal(false);

  useEffect(() => {
    try {
      map.current = new PopulationMap(
        host.current!,
        {
          hover: (row, at) => {
            explorer.hovered.value = row === null || !at ? null : { row, at };
          },
          select: (point) => explorer.openPoint(point, explorer.map.painted.peek()?.table.of ?? "samples"),
          enclose: (points, how) => explorer.enclose(points, how),
        },
        explorer.theme.peek(),
      );
      window.map = map.current;
    } catch {
      broken.value = true;
    }
  }, []);
  useSignalEffect(() => {
    const frame = explorer.map.frame.value;
    if (frame) map.current?.show(frame);
  });
  useSignalEffect(() => map.current?.filter(explorer.map.shown.value.mask));
  useSignalEffect(() => map.current?.setLabels(explorer.map.labels.value));
  useSignalEffect(() => map.current?.setOutlines(explorer.map.outlines.value));
  useSignalEffect(() => map.current?.select(explorer.map.point.value));
  useSignalEffect(() => map.current?.setTheme(explorer.theme.value));
  useSignalEffect(() => {
    if (map.current) map.current.tool = tool.value;
  });

  const zoomToChosen = (): void => {
    const chosen = explorer.map.marked.peek() ?? explorer.map.shown.peek().mask;
    if (chosen) map.current?.fitTo(rowsOf(chosen));
    else map.current?.fit();
  };
  const step = (direction: Direction): void => {
    const from = explorer.panel.row.peek();
    const row = from === null ? map.current?.middle() : map.current?.next(from, direction);
    if (row !== null && row !== undefined) explorer.open(row);
  };
  const keys: Record<string, () => void> = {
    "Shift+ArrowLeft": () => step([-1, 0]),
    "Shift+ArrowRight": () => step([1, 0]),
    "Shift+ArrowUp": () => step([0, 1]),
    "Shift+ArrowDown": () => step([0, -1]),
    Enter: () => step([0, 0]),
    z: zoomToChosen,
    ArrowLeft: () => map.current?.move(-STEP, 0),
    ArrowRight: () => map.current?.move(STEP, 0),
    ArrowUp: () => map.current?.move(0, STEP),
    ArrowDown: () => map.current?.move(0, -STEP),
    "+": () => map.current?.zoomBy(ZOOM),
    "=": () => map.current?.zoomBy(ZOOM),
    "-": () => map.current?.zoomBy(1 / ZOOM),
    "0": () => map.current?.fit(),
  };
  return (
    <section class="stage" aria-label="Population map">
      <div
        ref={host}
        class="map"
        data-testid="map"
        tabIndex={0}
        role="application"
        aria-label={HELP}
        onKeyDown={(event) => {
          const act = keys[event.shiftKey && event.key.startsWith("Arrow") ? `Shift+${event.key}` : event.key];
          if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
          event.preventDefault();
          act();
        }}
      />
      <div class="map-buttons" role="group" aria-label="Map">
        {(
          [
            ["move", "\u2725", "Move the map"],
            ["lasso", "\u2b1a", "Draw around samples to select them; Shift adds, Alt takes away"],
          ] as const
        ).map(([name, sign, label]) => (
          <button
            key={name}
            type="button"
            class="map-button"
            aria-label={label}
            title={label}
            aria-pressed={tool.value === name}
            onClick={() => (tool.value = name)}
          >
            {sign}
          </button>
        ))}
        {(
          [
            ["+", "Zoom in", () => map.current?.zoomBy(ZOOM)],
            ["\u2212", "Zoom out", () => map.current?.zoomBy(1 / ZOOM)],
            ["\u2922", "Show the whole map (0)", () => map.current?.fit()],
            ["\u25ce", "Zoom to what is selected or filtered (Z)", zoomToChosen],
          ] as const
        ).map(([sign, label, act]) => (
          <button key={label} type="button" class="map-button" aria-label={label} title={label} onClick={act}>
            {sign}
          </button>
        ))}
      </div>
      <Status explorer={explorer} zoom={zoomToChosen} />
      <Message explorer={explorer} broken={broken.value} />
    </section>
  );
}

function Status({ explorer, zoom }: { explorer: Explorer; zoom: () => void }) {
  const painted = explorer.map.painted.value;
  const selected = explorer.chosen.count.value;
  const { projection, space } = explorer.view.value;
  const interim = painted && painted.projection !== projection;
  return (
    <div class="status-bar">
      {painted?.table.of === "objects" && (
        <span data-testid="objects-shown">{`${formatCount(explorer.map.shown.value.count)} objects`}</span>
      )}
      {interim && (
        <span class="interim" role="status">
          <span class="spinner" />
          {`${projectionName(painted.projection)}; ${projectionName(projection)} is being computed`}
          {/* Not announced each time: whoever listens is told once that it is being computed. */}
          <span aria-hidden="true">{shareOf(explorer.working.value, space, projection)}</span>
        </span>
      )}
      {explorer.chosen.mask.value && (
        <span class="selection">
          {`${formatCount(selected)} selected`}
          <button type="button" class="link" onClick={zoom}>
            Zoom to them
          </button>
          <button type="button" class="link" onClick={() => explorer.select([], "replace")}>
            Clear
          </button>
        </span>
      )}
    </div>
  );
}

/** The card over the map: what the page is waiting for, or what went wrong. */
function Message({ explorer, broken }: { explorer: Explorer; broken: boolean }) {
  const failure = explorer.failure.value;
  const busy = explorer.map.busy.value;
  if (broken) {
    return (
      <div class="message failed" role="alert">
        <p>
          The map needs WebGL 2, which this browser does not offer; allow hardware acceleration or use another browser.
        </p>
      </div>
    );
  }
  if (failure) {
    return (
      <div class="message failed" role="alert">
        <p>{failure.sentence}</p>
        <button type="button" class="button" onClick={failure.retry}>
          Retry
        </button>
      </div>
    );
  }
  if (!busy) return null;
  return (
    <div class="message loading" role="status">
      <span class="spinner" />
      <p>{busy}</p>
    </div>
  );
}
