/** The run's boards: which is shown, what a person does to it, and what its marks choose. */

import { computed, effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Board, BoardChart, Chart, ChartRows, Group } from "../api/charts";
import type { Column } from "../api/client";
import { decodeMask, encodeMask } from "../api/values";
import type { Brushed } from "../charts/figure";
import { type Range, rounded, snapped } from "../charts/ranges";
import { INK } from "../charts/room";
import { categoryColours } from "../points/scales";
import { save } from "../ui/save";
import { type Answer, sentenceOf } from "./answer";
import { type Among, askedOf, boardOfText, freeName, JUDGED } from "./board";
import { type Charting, KeptCharts } from "./charting";
import { rowsOf } from "./chosen";
import type { Explorer } from "./explorer";
import { chosen, filtersOf, isMarked, ranged } from "./marking";

export const MINE = "My board";

/** A mark whose samples are selected, and not filtered. */
interface Source {
  chart: string;
  mark: string;
  mask: Uint8Array | null;
}

export class Boards {
  readonly all = signal<Answer<Board[]>>({ state: "waiting" });
  readonly proposed = signal<Answer<Board>>({ state: "waiting" });
  /** Why the last change was not kept, or a file not opened. */
  readonly problem = signal<string | null>(null);
  /** The least confidence that counts, of all charts of the board that have one; null: as they propose. */
  readonly threshold = signal<number | null>(null);
  readonly shown: ReadonlySignal<Board | null>;
  /** Name of the board in the address, where there is none of that name. */
  readonly gone: ReadonlySignal<string | null>;
  readonly kept = new KeptCharts();
  private readonly among: ReadonlySignal<Among>;
  private readonly source = signal<Source | null>(null);
  private readonly counts: Signal<ReadonlyMap<string, readonly number[]>> = signal(new Map());
  private readonly counting = new Set<string>();
  private turn = 0;
  /** Names of the boards that the server has. */
  private saved: ReadonlySet<string> = new Set();
  private saving: Promise<void> = Promise.resolve();

  constructor(readonly explorer: Explorer) {
    this.shown = computed(() => {
      const name = explorer.view.value.board;
      const all = this.all.value;
      if (name !== null) return (all.state === "here" && all.value.find((board) => board.name === name)) || null;
      return this.proposed.value.state === "here" ? this.proposed.value.value : null;
    });
    this.gone = computed(() => {
      const name = explorer.view.value.board;
      return name !== null && this.all.value.state !== "waiting" && this.shown.value === null ? name : null;
    });
    const within = computed(() => {
      const mask = explorer.chosen.mask.value;
      return mask && encodeMask(rowsOf(mask), explorer.run.samples);
    });
    const asked = computed(() => {
      const { filters, hiddenStates } = explorer.view.value;
      return JSON.stringify({ filters, hidden: hiddenStates, within: within.value });
    });
    this.among = computed(() => JSON.parse(asked.value) as Among);
  }

  /** Begin when the page has come so far, so that a click on the tab finds the boards there. */
  start(): void {
    let begun = false;
    effect(() => {
      const isWanted = this.explorer.view.value.tab === "charts" || this.explorer.map.painted.value !== null;
      if (begun || !isWanted) return;
      begun = true;
      void this.load().then(() => this.prepare());
    });
    effect(() => {
      void this.explorer.view.value.board;
      this.threshold.value = null;
    });
    effect(() => {
      void this.explorer.run;
      this.kept.forget();
    });
  }

  async load(): Promise<void> {
    const { client } = this.explorer;
    const into = async <T>(to: Signal<Answer<T>>, answer: Promise<T>): Promise<void> => {
      try {
        to.value = { state: "here", value: await answer };
      } catch (error) {
        to.value = { state: "failed", sentence: sentenceOf(error) };
      }
    };
    await Promise.all([
      into(
        this.all,
        client.boards().then((boards) => this.learn(boards)),
      ),
      into(this.proposed, client.proposedBoard()),
    ]);
    if (this.all.peek().state === "failed") this.problem.value = (this.all.peek() as { sentence: string }).sentence;
  }

  /** Ask for the charts of the board one after the other while nobody looks at it, so that it is there at a click. */
  private async prepare(): Promise<void> {
    for (const chart of this.shown.peek()?.charts ?? []) {
      const asked = askedOf(chart, this.among.peek(), this.threshold.peek());
      if (this.explorer.view.peek().tab === "charts") return;
      try {
        this.kept.keep(JSON.stringify(asked), await this.explorer.client.ask<Chart>("chart", asked));
      } catch {
        // Its card tells why when it is looked at.
      }
    }
  }

  get names(): string[] {
    const all = this.all.value;
    return all.state === "here" ? all.value.map(({ name }) => name) : [];
  }

  get isProposal(): boolean {
    return this.explorer.view.value.board === null;
  }

  /** Show a board; null the proposal. */
  open(name: string | null): void {
    this.explorer.set({ tab: "charts", board: name });
  }

  /** Change the charts of the board that is shown. The proposal stays: a board of one's own begins with it. */
  change(charts: BoardChart[]): void {
    const board = this.shown.peek();
    if (!board) return;
    if (this.explorer.view.peek().board === null) this.add({ name: MINE, charts } as Board);
    else this.keep({ ...board, charts } as Board, board.name);
  }

  /** A further board, under a name that is free. */
  add(board: Board): void {
    const name = freeName(board.name, this.names);
    this.keep({ ...board, name }, null);
    this.open(name);
  }

  rename(to: string): void {
    const board = this.shown.peek();
    const name = to.normalize("NFC").trim();
    if (!board || this.isProposal || !name || name === board.name) return;
    if (this.names.includes(name)) {
      this.problem.value = `There is a board \u201c${name}\u201d already; choose another name.`;
      return;
    }
    this.keep({ ...board, name }, board.name);
    this.open(name);
  }

  delete(): void {
    const board = this.shown.peek();
    if (!board || this.isProposal) return;
    this.put(this.boards().filter((each) => each.name !== board.name));
    this.send(() => this.explorer.client.deleteBoard(board.name));
    this.open(null);
  }

  /** Let the browser save the board. */
  download(): void {
    const board = this.shown.peek();
    if (!board) return;
    const text = JSON.stringify({ name: board.name, charts: board.charts.map(inShort) }, null, 2);
    save(new Blob([text], { type: "application/json" }), `${board.name}.board.json`);
  }

  /** A further board, of a file's text. */
  openFile(text: string): void {
    try {
      this.add(boardOfText(text));
      this.problem.value = null;
    } catch (error) {
      this.problem.value = (error as Error).message;
    }
  }

  /** Keep the threshold with the board, where it is one's own. */
  keepThreshold(): void {
    const board = this.shown.peek();
    const threshold = this.threshold.peek();
    if (!board || this.isProposal || threshold === null) return;
    this.change(board.charts.map((chart) => (JUDGED.includes(chart.kind) ? { ...chart, threshold } : chart)));
  }

  /** What a chart asks for now; its own choice of samples does not make it smaller. */
  asked(chart: BoardChart, key: string): ReturnType<typeof askedOf> {
    const source = this.source.value;
    const isOwn = source !== null && source.chart === key && source.mask === this.explorer.chosen.mask.value;
    const among = isOwn ? { ...this.among.value, within: null } : this.among.value;
    return askedOf(chart, among, this.threshold.value);
  }

  /** Whether a mark stands out; null where none of its chart does. */
  marked(chart: Chart, key: string, mark: Group): boolean | null {
    const source = this.source.value;
    if (source?.chart === key && source.mask === this.explorer.chosen.mask.value) return source.mark === nameOf(mark);
    return chart.of === "objects" ? null : isMarked(chart, mark, this.explorer.view.value.filters);
  }

  /** Whether a chart's marks choose anything. */
  chooses(chart: Chart): boolean {
    return chart.kind === "confusion" || chart.groups.some((mark) => filtersOf(chart, mark).length > 0);
  }

  /** Show what is behind a mark, here and everywhere; once more shows all again. */
  choose(charting: Charting, key: string, mark: Group, more: boolean): void {
    const chart = charting.chart.peek();
    if (!chart) return;
    if (chart.of === "objects" || chart.kind === "confusion") {
      const source = this.source.peek();
      const isOff =
        source?.chart === key && source.mark === nameOf(mark) && source.mask === this.explorer.chosen.mask.peek();
      if (isOff) this.explorer.select([], "replace");
      else void this.select(charting, key, mark);
      return;
    }
    const marks = filtersOf(chart, mark);
    if (marks.length) this.explorer.set({ filters: chosen(this.explorer.view.peek().filters, marks, more) });
  }

  /** Filter by what was drawn. */
  brush(chart: Chart, charting: Charting, key: string, drawn: Brushed): void {
    const isBinned = chart.groups.some(({ x_low }) => x_low !== null) && chart.kind !== "scatter";
    const x = isBinned ? snapped(chart.groups, ...drawn.x) : rounded(...drawn.x, drawn.pixel[0]);
    if (!x) return;
    this.range(chart, charting, key, x, drawn.y && rounded(...drawn.y, drawn.pixel[1]));
  }

  range(chart: Chart, charting: Charting, key: string, x: Range, y: Range | null): void {
    if (chart.of === "objects") {
      const mark = { x: null, x_low: x.low, x_high: x.high, y: null, y_low: y?.low ?? null, y_high: y?.high ?? null };
      void this.select(charting, key, { ...EMPTY, ...mark });
      return;
    }
    let filters = this.explorer.view.peek().filters.slice();
    if (chart.x !== null) filters = ranged(filters, chart.x, x);
    if (chart.y !== null && y) filters = ranged(filters, chart.y, y);
    this.explorer.set({ filters });
  }

  /** The colours that the map gives a column's categories; undefined where it gives none. */
  colours(name: string | null): ReadonlyMap<string, string> | undefined {
    const column = this.explorer.run.columns.find((each) => each.name === name);
    if (!column?.categories) return undefined;
    const counts = this.countsOf(column);
    if (!counts) return undefined;
    const theme = this.explorer.theme.value;
    const own = categoryColours(column, counts, theme);
    return new Map(column.categories.map((category) => [category, own.get(category) ?? INK[theme].other]));
  }

  /** A chart's numbers as a file. */
  async saveTable(charting: Charting, title: string): Promise<void> {
    if (!charting.asked) return;
    try {
      save(await this.explorer.client.file("chart/table", charting.asked), `${title}.csv`);
    } catch (error) {
      this.problem.value = sentenceOf(error);
    }
  }

  private countsOf(column: Column): readonly number[] | null {
    // The palette suffices: which of them are more frequent does not matter.
    if ((column.categories ?? []).length <= 10 || column.meaning === "ordinal") return [];
    const known = this.counts.value.get(column.name);
    if (known) return known;
    if (!this.counting.has(column.name)) {
      this.counting.add(column.name);
      void this.explorer.summary(column.name).then(
        ({ counts }) => {
          this.counts.value = new Map([...this.counts.peek(), [column.name, counts ?? []]]);
        },
        () => this.counting.delete(column.name),
      );
    }
    return null;
  }

  private async select(charting: Charting, key: string, mark: Group): Promise<void> {
    const { asked } = charting;
    if (!asked) return;
    const place = {
      name: mark.name,
      series: mark.series,
      x: typeof mark.x === "string" ? mark.x : null,
      x_low: mark.x_low,
      x_high: mark.x_high,
      y: typeof mark.y === "string" ? mark.y : null,
      y_low: mark.y_low,
      y_high: mark.y_high,
    };
    try {
      const answer = await this.explorer.client.ask<ChartRows>("chart/rows", { ...asked, within: null, mark: place });
      this.explorer.select(rowsOf(decodeMask(answer.mask, this.explorer.run.samples)), "replace");
      this.source.value = { chart: key, mark: nameOf(mark), mask: this.explorer.chosen.mask.peek() };
    } catch (error) {
      this.problem.value = sentenceOf(error);
    }
  }

  private boards(): Board[] {
    const all = this.all.peek();
    return all.state === "here" ? all.value : [];
  }

  private learn(boards: Board[]): Board[] {
    this.saved = new Set(boards.map(({ name }) => name));
    return boards;
  }

  private put(boards: Board[]): void {
    this.all.value = { state: "here", value: boards };
  }

  private keep(board: Board, instead: string | null): void {
    const boards = this.boards();
    this.put(instead === null ? [...boards, board] : boards.map((each) => (each.name === instead ? board : each)));
    const kept = { ...board, charts: board.charts.map(inShort) } as Board;
    // One that could not be kept before is tried again as a whole.
    this.send(() => this.explorer.client.keepBoard(kept, instead !== null && this.saved.has(instead) ? instead : null));
  }

  /** One after the other; what the server has is shown when nothing else is on its way. */
  private send(change: () => Promise<Board[]>): void {
    const turn = ++this.turn;
    this.saving = this.saving.then(async () => {
      try {
        const boards = this.learn(await change());
        if (turn === this.turn) this.put(boards);
        this.problem.value = null;
      } catch (error) {
        this.problem.value = sentenceOf(error);
      }
    });
  }
}

/** What is not by default. */
function inShort(chart: BoardChart): BoardChart {
  const usual: Record<string, unknown> = { of: "samples", axis: "linear", width: 1 };
  const told = Object.entries(chart).filter(([name, value]) => value !== null && value !== usual[name]);
  return Object.fromEntries(told) as unknown as BoardChart;
}

function nameOf({ name, series, x, y, x_low, y_low }: Group): string {
  return JSON.stringify([name, series, x, y, x_low, y_low]);
}

const EMPTY: Group = {
  ...{ name: "", count: 0, value: null, low: null, high: null, series: null, box: null },
  ...{ x: null, x_low: null, x_high: null, y: null, y_low: null, y_high: null },
};
