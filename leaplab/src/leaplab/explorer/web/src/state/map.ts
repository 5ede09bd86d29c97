/** What lies on the map: its points, their colours, names and outlines, and which are shown. */

import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import type { Points, Run } from "../api/client";
import { type Label, labelsOf } from "../points/labels";
import type { MapFrame } from "../points/map";
import { type Outline, outlinesOf } from "../points/outlines";
import { palette, type RowFilter, rowColours, selectedOnTop, slotCounts, visibleMask } from "../points/scales";
import type { Explorer } from "./explorer";
import { namedBy } from "./naming";
import { type Owners, objectsOf, samplesOf } from "./objects";
import { type Painted, Painter, tableOf } from "./painting";
import { computedProjections } from "./progress";
import type { View } from "./view";

export interface Visible {
  /** 1 for each row that is shown; null: all are. */
  mask: Uint8Array | null;
  count: number;
}

/** The projection that is there at once. */
const QUICK = "pca";
const SLOW_MS = 600;

export class MapState {
  readonly painted = signal<Painted | null>(null);
  /** A sentence while something that was asked for is on its way for long. */
  readonly busy = signal<string | null>("Loading the population\u2026");
  /** Whether the names of categories stand on the map. */
  readonly named = signal(true);

  readonly colours: ReadonlySignal<string[]>;
  /** Points. */
  readonly shown: ReadonlySignal<Visible>;
  /** Samples: on a map of objects those that have one that is shown. */
  readonly visible: ReadonlySignal<Visible>;
  /** 1 for each point that is selected; null: none is. */
  readonly marked: ReadonlySignal<Uint8Array | null>;
  /** 1 for each object that was drawn around, as long as its sample's selection is the one that came of it. */
  readonly drawnAround: ReadonlySignal<Uint8Array | null>;
  /** The place of what is open. */
  readonly point: ReadonlySignal<number | null>;
  readonly frame: ReadonlySignal<MapFrame | null>;
  /** Number of samples of each legend entry, in the states that the view shows. */
  readonly entryCounts: ReadonlySignal<number[]>;
  readonly labels: ReadonlySignal<Label[]>;
  /** Lines around the clusters, where these give the colour. */
  readonly outlines: ReadonlySignal<Outline[]>;

  /** Of the view, by themselves: a step to another sample must not make the map anew. */
  private readonly hiddenStates: ReadonlySignal<readonly string[]>;
  private readonly hiddenCategories: ReadonlySignal<readonly string[]>;
  private readonly paintKey: ReadonlySignal<string>;
  /** Projections of the first space that the server computes now. */
  readonly computing: ReadonlySignal<ReadonlySet<string>>;
  private readonly painters: Record<Points, Painter>;
  private turn = 0;
  private settled: Promise<void> = Promise.resolve();

  constructor(private readonly explorer: Explorer) {
    const { chosen, client, objects, run, view } = explorer;
    this.painters = {
      samples: new Painter(tableOf(run, "samples"), client),
      objects: new Painter(tableOf(run, "objects"), client),
    };
    this.hiddenStates = computed(() => view.value.hiddenStates);
    this.hiddenCategories = computed(() => view.value.hiddenCategories);
    this.paintKey = computed(() => {
      const { points, colour, size, space, projection } = view.value;
      return JSON.stringify([points, colour, size, space, projection]);
    });
    // As a text, which is the same as long as the projections are: how far they are loads no map.
    const projections = computed(() => computedProjections(explorer.working.value, run.defaults.space).join("\n"));
    this.computing = computed(() => new Set(projections.value.split("\n").filter(Boolean)));
    this.colours = computed(() => {
      const encoding = this.painted.value?.colour.encoding;
      return encoding ? palette(encoding, explorer.theme.value) : [];
    });
    this.shown = computed(() => this.whatIsShown());
    this.visible = computed(() => {
      const shown = this.shown.value;
      const owners = this.owners();
      if (!owners) return shown;
      const points = shown.mask ?? new Uint8Array(owners.rows.length).fill(1);
      const mask = samplesOf(points, owners, run.samples);
      return { mask, count: mask.reduce((sum, one) => sum + one, 0) };
    });
    this.drawnAround = computed(() => {
      const drawn = objects.chosen.value;
      return drawn && drawn.samples === chosen.mask.value ? drawn.mask : null;
    });
    this.marked = computed(() => {
      const owners = this.owners();
      const selected = chosen.mask.value;
      if (!owners || !selected) return selected;
      return this.drawnAround.value ?? objectsOf(selected, owners);
    });
    this.point = computed(() => explorer.placeIn(this.painted.value?.table.of ?? "samples"));
    this.frame = computed(() => {
      const painted = this.painted.value;
      if (!painted) return null;
      const { codes } = painted.colour.encoding;
      const mask = this.marked.value;
      const colours = rowColours(codes, this.colours.value, explorer.theme.value, mask);
      const order = mask ? selectedOnTop(painted.order, mask) : painted.order;
      return { xy: painted.xy, colours, factors: painted.size?.factors ?? null, order };
    });
    this.entryCounts = computed(() => {
      const painted = this.painted.value;
      if (painted?.colour.encoding.kind !== "categorical") return [];
      const { codes, entries } = painted.colour.encoding;
      return slotCounts(codes, this.stateFilter(painted), entries.length);
    });
    const names = computed(() => {
      const painted = this.named.value ? this.painted.value : null;
      const found = painted && namedBy(painted.colour);
      return found && { ...found, xy: painted.xy };
    });
    this.labels = computed(() => {
      const found = names.value;
      return found ? labelsOf(found.xy, found.codes, found.names, this.shown.value.mask) : [];
    });
    this.outlines = computed(() => {
      const found = names.value;
      return found?.areClusters ? outlinesOf(found.xy, found.codes, found.names, this.shown.value.mask) : [];
    });
  }

  /** Begin to follow the view. */
  start(): void {
    effect(() => {
      // What the server still computes decides which map is shown.
      void this.paintKey.value;
      void this.computing.value;
      this.load();
    });
  }

  /** Columns of these names are new, or others than before. */
  learn(run: Run, names: readonly string[]): void {
    this.painters.samples.learn(tableOf(run, "samples"), names);
  }

  /** Settles when the view that was asked for last is on the map. */
  get ready(): Promise<void> {
    return this.settled;
  }

  private stateFilter({ states }: Painted): RowFilter | null {
    if (states?.kind !== "categorical") return null;
    const names = states.column.categories ?? [];
    return { codes: states.codes, hidden: names.map((name) => this.hiddenStates.value.includes(name)) };
  }

  /** Whose the points of the map are, where these are objects. */
  owners(): Owners | null {
    return this.painted.value?.table.of === "objects" ? this.explorer.objects.owners.value : null;
  }

  private whatIsShown(): Visible {
    const painted = this.painted.value;
    if (!painted) return { mask: null, count: this.explorer.run.samples };
    const { count } = painted.table;
    const { encoding } = painted.colour;
    const filters = [this.stateFilter(painted), painted.unplaced].filter((filter) => filter !== null);
    if (encoding.kind === "categorical") {
      const hidden = encoding.entries.map(({ key }) => this.hiddenCategories.value.includes(key));
      filters.push({ codes: encoding.codes, hidden });
    }
    const filtered = this.explorer.filtering.mask.value;
    const owners = this.owners();
    if (filtered) filters.push({ codes: owners ? objectsOf(filtered, owners) : filtered, hidden: [true, false] });
    return visibleMask(count, filters) ?? { mask: null, count };
  }

  private load(): void {
    const turn = ++this.turn;
    const view = this.explorer.view.peek();
    const slow = window.setTimeout(() => {
      this.busy.value = "Loading the map\u2026 Where it is computed for the first time, this may take a minute.";
    }, SLOW_MS);
    const painting = this.paint(turn, view).catch((error: unknown) => {
      if (turn !== this.turn) return;
      this.busy.value = null;
      this.explorer.fail(error, () => this.load());
    });
    this.settled = painting.finally(() => window.clearTimeout(slow)).then(nextPicture);
  }

  private async paint(turn: number, view: View): Promise<void> {
    const show = (painted: Painted): void => {
      if (turn !== this.turn) return;
      this.painted.value = painted;
      this.busy.value = null;
      this.explorer.failure.value = null;
    };
    const painter = this.painters[view.points];
    if (view.points === "objects") {
      await this.explorer.objects.load();
      const isFirst = this.painted.peek()?.table.of !== "objects";
      // The server computes no map of objects before it is asked for one.
      if (isFirst && view.projection !== QUICK) show(await painter.paint(view, QUICK));
      show(await painter.paint(view, view.projection));
      return;
    }
    const computing = this.computing.peek();
    const isFirst = view.space === (this.explorer.run.defaults.space ?? "");
    const waits = isFirst && computing.has(view.projection) && !computing.has(QUICK);
    show(await painter.paint(view, waits ? QUICK : view.projection));
  }
}

/** Resolves when what is drawn now is on the screen. */
export function nextPicture(): Promise<void> {
  return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve())));
}
