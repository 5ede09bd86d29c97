/** Wiring: the run, the view, and the parts of the page that follow them. */

import "./styles.css";
import { ApiError, getIds, getRun, Memo, type Run } from "./api";
import { DetailsPanel } from "./details";
import { byId, h } from "./dom";
import { formatCount, formatName, formatSamples } from "./format";
import { renderLegend } from "./legend";
import { PopulationMap } from "./points/map";
import { Message } from "./message";
import { Population } from "./population";
import type { Theme } from "./scales";
import { buildSidebar } from "./sidebar";
import { createStore, fromHash, toHash, type View } from "./state";
import { showTooltip } from "./tooltip";

/** The page's handle for tests and the console. */
export interface Explorer {
  /** Settles when the view that was asked for last is on the map. */
  readonly ready: Promise<void>;
  readonly samples: number;
  /** Name of the column that gives the colour. */
  readonly colour: string | null;
  /** [x, y] in client coordinates. */
  screenPosition(row: number): [number, number] | undefined;
  select(row: number | null): void;
}

declare global {
  interface Window {
    explorer: Explorer;
  }
}

const SLOW_MS = 1200;
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const theme = (): Theme => (dark.matches ? "dark" : "light");

const message = new Message(byId("message"));
const status = (text: string): void => void (byId("status").textContent = text);

function fail(error: unknown, retry: () => void): void {
  const sentence = error instanceof ApiError ? error.message : `The page failed (${String(error)}); reload it.`;
  message.error(sentence, retry);
  status("");
}

async function start(): Promise<void> {
  message.loading("Loading the run\u2026");
  let run: Run;
  try {
    run = await getRun();
  } catch (error) {
    return new Promise((resolve) => fail(error, () => resolve(start())));
  }
  return explore(run);
}

function explore(run: Run): Promise<void> {
  const store = createStore<View>(fromHash(location.hash, run));
  const ids = new Memo<string[]>();
  let knownIds: string[] | null = null;
  const loadIds = async (): Promise<string[]> => (knownIds = await ids.get("ids", () => getIds(run.samples)));

  showHeader(run);
  const tooltip = byId("tooltip");
  const host = byId("map");
  host.tabIndex = 0;
  host.setAttribute("role", "application");
  host.setAttribute("aria-label", "Map: arrow keys move, plus and minus zoom, 0 shows all");
  let map: PopulationMap;
  try {
    map = new PopulationMap(
      host,
      {
        hover: (row) => {
          const at = row === null ? undefined : map.screenPosition(row);
          if (row === null || !at || !population.painted) tooltip.hidden = true;
          else showTooltip(tooltip, population.painted, row, knownIds?.[row], at);
        },
        select: (row) => store.set({ row }),
        enclose: (rows) => map.fitTo(rows),
      },
      theme(),
      () => (byId("legend").hidden ? 0 : byId("legend").offsetWidth + 24),
    );
  } catch {
    message.error(
      "The map needs WebGL 2, which this browser does not offer; allow hardware acceleration or use another browser.",
    );
    return Promise.reject(new Error("no WebGL 2"));
  }
  const population = new Population(run, map);
  const details = new DetailsPanel(byId("details"), run, () => store.set({ row: null }));
  buildSidebar(byId("controls"), run, store, { find: (text) => find(text) });

  const legend = (): void => {
    if (!population.painted) return;
    renderLegend(byId("legend"), population.painted, population.entryCounts(store.get()), store.get().hiddenCategories, {
      hide: (keys) => store.set({ hiddenCategories: keys }),
    });
  };
  const filter = (): void => {
    const shown = population.applyFilters(store.get());
    status(
      shown === run.samples ? formatSamples(shown) : `${formatCount(shown)} of ${formatSamples(run.samples)} shown`,
    );
  };
  const paint = async (): Promise<void> => {
    const view = store.get();
    const slow = window.setTimeout(() => {
      message.loading(
        population.hasMap(view)
          ? "Loading the values\u2026"
          : `Computing the map of the latent space \u201c${formatName(view.space)}\u201d. The first time may take up to a minute\u2026`,
      );
    }, SLOW_MS);
    if (!population.painted) message.loading("Loading the population\u2026");
    status("Loading\u2026");
    try {
      if (!(await population.load(view, theme()))) return ready;
      legend();
      population.draw();
      filter();
      await nextFrame(); // that paints it
      message.clear();
    } catch (error) {
      fail(error, repaint);
      throw error;
    } finally {
      window.clearTimeout(slow);
    }
  };
  let ready: Promise<void> = Promise.resolve();
  const repaint = (): void => {
    ready = paint();
    ready.catch(() => undefined);
  };
  const find = async (text: string): Promise<string | null> => {
    try {
      const known = await loadIds();
      const exact = known.indexOf(text);
      const row = exact >= 0 ? exact : known.findIndex((id) => id.includes(text));
      if (row < 0) return `No sample id contains \u201c${text}\u201d.`;
      store.set({ row });
      return null;
    } catch (error) {
      return error instanceof ApiError ? error.message : String(error);
    }
  };

  store.subscribe((next, previous) => {
    history.replaceState(null, "", `#${toHash(next)}`);
    const changed = (...keys: (keyof View)[]): boolean => keys.some((key) => next[key] !== previous[key]);
    if (changed("colour", "size", "space", "projection")) repaint();
    else if (changed("hiddenStates", "hiddenCategories")) {
      legend();
      filter();
      ready = nextFrame();
    }
    if (changed("row")) {
      details.show(next.row);
      map.select(next.row);
    }
  });
  window.addEventListener("hashchange", () => store.set(fromHash(location.hash, run)));
  window.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !document.querySelector("dialog[open]")) store.set({ row: null });
  });
  dark.addEventListener("change", () => {
    population.retheme(theme());
    legend();
  });

  repaint();
  details.show(store.get().row);
  map.select(store.get().row);
  // The tooltip does without the ids until they are here; the search box tells when they cannot be had.
  void ready.then(loadIds).catch(() => undefined);

  window.explorer = {
    get ready() {
      return ready;
    },
    samples: run.samples,
    get colour() {
      return population.painted?.colour.values?.column.name ?? null;
    },
    screenPosition: (row) => map.screenPosition(row),
    select: (row) => store.set({ row }),
  };
  return ready;
}

const nextFrame = (): Promise<void> =>
  new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve())));

function showHeader(run: Run): void {
  document.title = `${run.name} \u2013 population explorer`;
  const fact = (name: string, value: string): HTMLElement =>
    h("div", { class: "header-fact" }, h("dt", {}, name), h("dd", {}, value));
  byId("header").replaceChildren(
    h("h1", {}, run.name),
    h(
      "dl",
      { class: "header-facts" },
      fact("Integration", run.integration),
      fact("Model", run.model),
      fact("Samples", formatCount(run.samples)),
    ),
  );
  const notice = byId("notice");
  notice.hidden = !run.notice;
  notice.textContent = run.notice ?? "";
}

const started = start();
started.catch(() => undefined);
// Until the run is known, the handle can only be waited for.
window.explorer ??= {
  get ready() {
    return started;
  },
  samples: 0,
  colour: null,
  screenPosition: () => undefined,
  select: () => undefined,
};
