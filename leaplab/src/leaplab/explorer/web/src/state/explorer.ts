/** The page's state: signals that the views read, and the few actions that change them. */

import { batch, computed, effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import {
  ANOTHER_RUN,
  ApiError,
  Client,
  type Filter,
  getRun,
  type Headline,
  type Heatmap,
  type Insights,
  Memo,
  type Near,
  type Panel,
  type Points,
  type Progress,
  type Run,
  type Sample,
  type Summary,
} from "../api/client";
import type { Joining } from "../points/gestures";
import { type Label, labelsOf } from "../points/labels";
import type { MapFrame } from "../points/map";
import { type Outline, outlinesOf } from "../points/outlines";
import {
  palette,
  type RowFilter,
  rowColours,
  selectedOnTop,
  slotCounts,
  type Theme,
  visibleMask,
} from "../points/scales";
import { type Answer, sentenceOf } from "./answer";
import { Chosen, rowsOf } from "./chosen";
import { type Asked, Filtering } from "./filtering";
import { InsightNotes } from "./insight-notes";
import { Layout } from "./layout";
import { namedBy } from "./naming";
import { ObjectState, type Owners, objectsOf, placeOf, samplesOf } from "./objects";
import { type Painted, Painter, tableOf } from "./painting";
import { PanelState } from "./panel";
import { computedProjections, withProgress } from "./progress";
import { Tags } from "./tags";
import { fromHash, isSameView, toHash, type View } from "./view";

export interface Failure {
  sentence: string;
  retry: () => void;
}

export interface Visible {
  /** 1 for each row that is shown; null: all are. */
  mask: Uint8Array | null;
  count: number;
}

/** The projection that is there at once. */
const QUICK = "pca";
const SLOW_MS = 600;

export class Explorer {
  readonly view;
  readonly layout = new Layout();
  /** What is searched for; null while the search is closed. */
  readonly searching = signal<string | null>(null);
  /** The place of the tip that the tour shows; null outside a tour. */
  readonly tip = signal<number | null>(null);
  readonly theme = signal<Theme>("light");
  readonly painted = signal<Painted | null>(null);
  /** A sentence while something that was asked for is on its way for long. */
  readonly busy = signal<string | null>("Loading the population\u2026");
  readonly failure = signal<Failure | null>(null);
  /** Projections of the first space that the server computes now. */
  readonly computing: ReadonlySignal<ReadonlySet<string>>;
  /** All that the server computes now, and how far it is. */
  readonly working = signal<readonly Progress[]>([]);
  readonly chosen: Chosen;
  readonly tags: Tags;
  readonly notes: InsightNotes;
  readonly row = signal<number | null>(null);
  readonly sample = signal<Answer<Sample> | null>(null);
  readonly visuals = signal<Answer<Panel> | null>(null);
  /** What is chosen in the open sample's panel. */
  readonly panel: PanelState;
  /** What raises and what lowers something of the open sample; null until it is asked for. */
  readonly heatmap = signal<Answer<Heatmap> | null>(null);
  /** What is near to the open sample; null without a latent space. */
  readonly near = signal<Answer<Near[]> | null>(null);
  /** Whether the names of categories stand on the map. */
  readonly named = signal(true);
  /** How good the model is; null where the run has no score, or until it is here. */
  readonly headline = signal<Headline | null>(null);
  readonly insights = signal<Answer<Insights> | null>(null);
  /** Which samples meet the filters, and how the columns look under them. */
  readonly filtering: Filtering;
  /** The column that the gallery is sorted by, the highest first. */
  readonly sortedBy: Signal<string | null>;
  /** Rows in the gallery's order: those selected, else all that are shown; null while the order is on its way. */
  readonly gallery: ReadonlySignal<Uint32Array | null>;
  readonly objects: ObjectState;
  /** What the gallery shows in its order: these rows, or the places of their objects. */
  readonly tiles: ReadonlySignal<Uint32Array | null>;
  /** The place of what is open among the points of the map, and among the tiles. */
  readonly point: ReadonlySignal<number | null>;
  readonly tile: ReadonlySignal<number | null>;
  readonly hovered = signal<{ row: number; at: [number, number] } | null>(null);

  readonly colours: ReadonlySignal<string[]>;
  /** Samples: on a map of objects those that have one that is shown. */
  readonly visible: ReadonlySignal<Visible>;
  /** Points of the map. */
  readonly shown: ReadonlySignal<Visible>;
  /** 1 for each point of the map that is selected; null: none is. */
  readonly marked: ReadonlySignal<Uint8Array | null>;
  readonly frame: ReadonlySignal<MapFrame | null>;
  /** Number of samples of each legend entry, in the states that the view shows. */
  readonly entryCounts: ReadonlySignal<number[]>;
  readonly labels: ReadonlySignal<Label[]>;
  /** Lines around the clusters, where these give the colour. */
  readonly outlines: ReadonlySignal<Outline[]>;

  /** Of the view, by themselves: a step to another sample must not make the map anew. */
  private readonly hiddenStates: ReadonlySignal<readonly string[]>;
  private readonly hiddenCategories: ReadonlySignal<readonly string[]>;
  /** 1 for each object that was drawn around, as long as its sample's selection is the one that came of it. */
  private readonly drawnAround: ReadonlySignal<Uint8Array | null>;
  private readonly order = signal<Uint32Array | null>(null);
  private readonly painters: Record<Points, Painter>;
  readonly client: Client;
  private readonly paintKey: ReadonlySignal<string>;
  private readonly orders = new Memo<Uint32Array>();
  private readonly ids = new Memo<string>();
  private turn = 0;
  private asking: AbortController | null = null;
  private settled: Promise<void> = Promise.resolve();

  private readonly known: Signal<Run>;

  constructor(run: Run) {
    this.known = signal(run);
    this.client = new Client(run.key);
    this.panel = new PanelState(this.client);
    this.painters = {
      samples: new Painter(tableOf(run, "samples"), this.client),
      objects: new Painter(tableOf(run, "objects"), this.client),
    };
    this.objects = new ObjectState(run, this.client);
    this.filtering = new Filtering(run, this.client, (error, retry) => this.fail(error, retry));
    this.chosen = new Chosen(this, this.client);
    this.tags = new Tags(this, this.client);
    this.notes = new InsightNotes(this.client);
    this.view = signal<View>(fromHash(location.hash, run));
    this.hiddenStates = computed(() => this.view.value.hiddenStates);
    this.hiddenCategories = computed(() => this.view.value.hiddenCategories);
    this.paintKey = computed(() => {
      const { points, colour, size, space, projection } = this.view.value;
      return JSON.stringify([points, colour, size, space, projection]);
    });
    // As a text, which is the same as long as the projections are: how far they are loads no map.
    const projections = computed(() => computedProjections(this.working.value, run.defaults.space).join("\n"));
    this.computing = computed(() => new Set(projections.value.split("\n").filter(Boolean)));
    this.colours = computed(() => {
      const encoding = this.painted.value?.colour.encoding;
      return encoding ? palette(encoding, this.theme.value) : [];
    });
    this.shown = computed(() => this.whatIsShown());
    this.visible = computed(() => {
      const shown = this.shown.value;
      const owners = this.ownersOfPoints();
      if (!owners) return shown;
      const objects = shown.mask ?? new Uint8Array(owners.rows.length).fill(1);
      const mask = samplesOf(objects, owners, run.samples);
      return { mask, count: mask.reduce((sum, one) => sum + one, 0) };
    });
    this.drawnAround = computed(() => {
      const chosen = this.objects.chosen.value;
      return chosen && chosen.samples === this.chosen.mask.value ? chosen.mask : null;
    });
    this.marked = computed(() => {
      const owners = this.ownersOfPoints();
      const selected = this.chosen.mask.value;
      if (!owners || !selected) return selected;
      return this.drawnAround.value ?? objectsOf(selected, owners);
    });
    this.point = computed(() => this.placeIn(this.painted.value?.table.of ?? "samples"));
    this.tile = computed(() => this.placeIn(this.view.value.tiles));
    this.frame = computed(() => {
      const painted = this.painted.value;
      if (!painted) return null;
      const { codes } = painted.colour.encoding;
      const mask = this.marked.value;
      const colours = rowColours(codes, this.colours.value, this.theme.value, mask);
      const order = mask ? selectedOnTop(painted.order, mask) : painted.order;
      return { xy: painted.xy, colours, factors: painted.size?.factors ?? null, order };
    });
    this.entryCounts = computed(() => {
      const painted = this.painted.value;
      if (painted?.colour.encoding.kind !== "categorical") return [];
      const { codes, entries } = painted.colour.encoding;
      return slotCounts(codes, this.stateFilter(painted), entries.length);
    });
    this.sortedBy = signal(run.defaults.size ?? run.defaults.colour);
    this.gallery = computed(() => {
      const order = this.chosen.ranked.value?.rows ?? this.order.value;
      if (!order) return null;
      const among = this.chosen.among.value;
      const shown = this.visible.value.mask;
      return among || shown ? order.filter((row) => (among?.[row] ?? 1) && (shown?.[row] ?? 1)) : order;
    });
    const names = computed(() => {
      const painted = this.named.value ? this.painted.value : null;
      const found = painted && namedBy(painted.colour);
      return found && { ...found, xy: painted.xy };
    });
    this.tiles = computed(() => {
      if (this.view.value.tiles === "samples") return this.gallery.value;
      const owners = this.objects.owners.value;
      const order = this.objects.order.value;
      if (!owners || !order) return null;
      const drawn = this.drawnAround.value;
      const among = drawn ? null : this.chosen.among.value;
      const ofObjects = this.painted.value?.table.of === "objects";
      const shown = (ofObjects ? this.shown : this.visible).value.mask;
      if (!drawn && !among && !shown) return order;
      return order.filter((object) => {
        const row = owners.rows[object]!;
        return (drawn?.[object] ?? 1) && (among?.[row] ?? 1) && (shown?.[ofObjects ? object : row] ?? 1);
      });
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

  /** The run; its columns grow as analyses make some. */
  get run(): Run {
    return this.known.value;
  }

  /** Look at the run again: these columns are new, or others than before. */
  async learn(names: readonly string[]): Promise<void> {
    const run = await getRun();
    if (run.key !== this.run.key) {
      location.reload();
      return;
    }
    this.painters.samples.learn(tableOf(run, "samples"), names);
    for (const name of names) this.orders.forget(name);
    // Map, filters and histograms follow the run by themselves.
    this.known.value = run;
    const sorted = this.sortedBy.peek();
    if (sorted !== null && names.includes(sorted)) this.sort(sorted);
  }

  /** Begin to follow the view. */
  start(): void {
    const stop = this.client.progress((progress) => this.hear(progress));
    window.addEventListener("pagehide", stop);
    window.addEventListener("popstate", () => {
      this.view.value = fromHash(location.hash, this.run);
      void this.chosen.follow();
      void this.openSample(this.view.value.sample);
    });
    effect(() => {
      // What the server still computes decides which map is shown.
      void this.paintKey.value;
      void this.computing.value;
      this.load();
    });
    void this.client.headline().then(
      (headline) => {
        this.headline.value = headline;
      },
      (error: unknown) => this.fail(error, () => location.reload()),
    );
    effect(() => this.sort(this.sortedBy.value));
    effect(() => {
      if (this.view.value.tiles === "objects") this.sortObjects(this.objects.sortedBy.value);
    });
    this.filtering.follow(
      this.whatIsAsked(),
      computed(() => this.painted.value !== null),
    );
    this.chosen.start();
    this.tags.start();
    this.notes.start();
    void this.openSample(this.view.value.sample);
  }

  /** Draw a heat-map of the open sample. */
  explain(of: string): void {
    const row = this.row.peek();
    const aborted = this.asking?.signal;
    if (row === null || !aborted) return;
    this.panel.of.value = of;
    this.heatmap.value = { state: "waiting" };
    void this.client.heatmap(row, of, aborted).then(
      (value) => {
        if (!aborted.aborted) this.heatmap.value = { state: "here", value };
      },
      (error: unknown) => {
        if (!aborted.aborted) this.heatmap.value = { state: "failed", sentence: sentenceOf(error) };
      },
    );
  }

  thumbnail(row: number): string {
    return this.client.thumbnail(row);
  }

  crop(object: number): string {
    return this.client.crop(object);
  }

  /** The id of a row. */
  idOf(row: number): Promise<string> {
    return this.ids.get(String(row), () => this.client.id(row));
  }

  /** Filter a column; null leaves it alone. */
  setFilter(column: string, filter: Omit<Filter, "column"> | null): void {
    const others = this.view.peek().filters.filter((each) => each.column !== column);
    this.set({ filters: filter ? [...others, { column, ...filter }] : others });
  }

  /** Take away whatever hides a sample. */
  showAll(): void {
    this.set({ filters: [], hiddenStates: [], hiddenCategories: [] });
  }

  async summary(column: string): Promise<Summary> {
    return this.client.summary(column);
  }

  /** Settles when the view that was asked for last is on the map. */
  get ready(): Promise<void> {
    return this.settled;
  }

  /** Change the view; Back undoes it. */
  set(patch: Partial<View>): void {
    const next = { ...this.view.peek(), ...patch };
    if (isSameView(next, this.view.peek())) return;
    history.pushState(null, "", `#${toHash(next)}`);
    this.view.value = next;
  }

  /** Open a sample's panel; null closes it. */
  open(row: number | null): void {
    if (row === this.row.peek()) return;
    this.show(row);
    if (row === null) this.set({ sample: null, object: null });
  }

  /** Open what a point or a tile stands for: a sample, or an object in its sample; null closes the panel. */
  openPoint(place: number | null, of: Points): void {
    const owners = this.objects.owners.peek();
    if (of === "samples" || !owners || place === null) {
      this.open(place);
      return;
    }
    const row = owners.rows[place]!;
    const object = owners.numbers[place]!;
    if (row === this.row.peek()) this.set({ object });
    else this.show(row, object);
  }

  /** Ask again for the open sample. */
  reopen(): void {
    const row = this.row.peek();
    this.row.value = null;
    this.show(row);
  }

  /** The previous or next tile in the gallery's order. */
  step(by: 1 | -1): void {
    const tiles = this.tiles.peek();
    if (!tiles?.length) return;
    const open = this.tile.peek();
    const at = open === null ? -1 : tiles.indexOf(open);
    const next = at === -1 ? (by > 0 ? 0 : tiles.length - 1) : at + by;
    if (tiles[next] !== undefined) this.openPoint(tiles[next], this.view.peek().tiles);
  }

  /** Look for what is wrong; the answer is cached beside the run. */
  lookForInsights(): void {
    this.insights.value = { state: "waiting" };
    const stop = this.client.progress((progress) => this.hear(progress));
    void this.client
      .insights()
      .then(
        (value) => {
          this.insights.value = { state: "here", value };
        },
        (error: unknown) => {
          this.insights.value = { state: "failed", sentence: sentenceOf(error) };
        },
      )
      .finally(stop);
  }

  select(rows: readonly number[], how: Joining): void {
    this.chosen.select(rows, how);
  }

  /** Select points that were drawn around; of objects, the samples that they belong to as well. */
  enclose(points: readonly number[], how: Joining): void {
    const owners = this.ownersOfPoints();
    if (!owners) {
      this.select(points, how);
      return;
    }
    const mask = joined(this.drawnAround.peek(), points, how, owners.rows.length);
    batch(() => {
      this.chosen.select(mask ? rowsOf(samplesOf(mask, owners, this.run.samples)) : [], "replace");
      this.objects.chosen.value = mask && { mask, samples: this.chosen.mask.peek() };
    });
  }

  /** Go to the sample whose id is, or holds, a text; resolves to a sentence where there is none. */
  async find(text: string): Promise<string | null> {
    try {
      const row = await this.client.find(text);
      this.set({ tab: "map" });
      this.open(row);
      return null;
    } catch (error) {
      return sentenceOf(error);
    }
  }

  private hear(progress: Progress): void {
    this.working.value = withProgress(this.working.peek(), progress);
  }

  private stateFilter({ states }: Painted): RowFilter | null {
    if (states?.kind !== "categorical") return null;
    const names = states.column.categories ?? [];
    return { codes: states.codes, hidden: names.map((name) => this.hiddenStates.value.includes(name)) };
  }

  /** Whose the points of the map are, where these are objects. */
  private ownersOfPoints(): Owners | null {
    return this.painted.value?.table.of === "objects" ? this.objects.owners.value : null;
  }

  private placeIn(of: Points): number | null {
    const row = this.row.value;
    const { object } = this.view.value;
    const owners = this.objects.owners.value;
    if (of === "samples" || row === null) return row;
    return owners && object !== null ? placeOf(row, object, owners) : null;
  }

  private whatIsShown(): Visible {
    const painted = this.painted.value;
    if (!painted) return { mask: null, count: this.run.samples };
    const { count } = painted.table;
    const { encoding } = painted.colour;
    const filters = [this.stateFilter(painted), painted.unplaced].filter((filter) => filter !== null);
    if (encoding.kind === "categorical") {
      const hidden = encoding.entries.map(({ key }) => this.hiddenCategories.value.includes(key));
      filters.push({ codes: encoding.codes, hidden });
    }
    const filtered = this.filtering.mask.value;
    const owners = this.ownersOfPoints();
    if (filtered) filters.push({ codes: owners ? objectsOf(filtered, owners) : filtered, hidden: [true, false] });
    return visibleMask(count, filters) ?? { mask: null, count };
  }

  /** Another view with the same filters asks for nothing. */
  private whatIsAsked(): ReadonlySignal<Asked> {
    const filters = computed(() => JSON.stringify(this.view.value.filters));
    const hidden = computed(() => JSON.stringify(this.view.value.hiddenStates));
    return computed(() => {
      const names = JSON.parse(hidden.value) as string[];
      const shown = this.run.states.map(({ name }) => name).filter((name) => !names.includes(name));
      return {
        filters: JSON.parse(filters.value) as Filter[],
        states: names.length ? shown : null,
        selection: this.chosen.mask.value,
      };
    });
  }

  private sort(column: string | null): void {
    if (column === null) {
      this.order.value = Uint32Array.from({ length: this.run.samples }, (_, row) => row);
      return;
    }
    void this.orders
      .get(column, () => this.client.order(column, true))
      .then(
        (order) => {
          if (this.sortedBy.peek() === column) this.order.value = order;
        },
        (error: unknown) => this.fail(error, () => this.sort(column)),
      );
  }

  private sortObjects(column: string | null): void {
    const count = this.run.objects?.count ?? 0;
    const order =
      column === null
        ? Promise.resolve(Uint32Array.from({ length: count }, (_, object) => object))
        : this.orders.get(`objects ${column}`, () => this.client.order(column, true, "objects"));
    void Promise.all([order, this.objects.load()]).then(
      ([sorted]) => {
        if (this.objects.sortedBy.peek() === column) this.objects.order.value = sorted;
      },
      (error: unknown) => this.fail(error, () => this.sortObjects(column)),
    );
  }

  private load(): void {
    const turn = ++this.turn;
    const view = this.view.peek();
    const slow = window.setTimeout(() => {
      this.busy.value = "Loading the map\u2026 Where it is computed for the first time, this may take a minute.";
    }, SLOW_MS);
    const painting = this.paint(turn, view).catch((error: unknown) => {
      if (turn !== this.turn) return;
      this.busy.value = null;
      this.fail(error, () => this.load());
    });
    this.settled = painting.finally(() => window.clearTimeout(slow)).then(nextPicture);
  }

  private async paint(turn: number, view: View): Promise<void> {
    const show = (painted: Painted): void => {
      if (turn !== this.turn) return;
      this.painted.value = painted;
      this.busy.value = null;
      this.failure.value = null;
    };
    const painter = this.painters[view.points];
    if (view.points === "objects") {
      await this.objects.load();
      const isFirst = this.painted.peek()?.table.of !== "objects";
      // The server computes no map of objects before it is asked for one.
      if (isFirst && view.projection !== QUICK) show(await painter.paint(view, QUICK));
      show(await painter.paint(view, view.projection));
      return;
    }
    const computing = this.computing.peek();
    const isFirst = view.space === (this.run.defaults.space ?? "");
    const waits = isFirst && computing.has(view.projection) && !computing.has(QUICK);
    show(await painter.paint(view, waits ? QUICK : view.projection));
  }

  fail(error: unknown, retry: () => void): void {
    if (error instanceof ApiError && error.status === ANOTHER_RUN) {
      location.reload();
      return;
    }
    this.failure.value = { sentence: sentenceOf(error), retry };
  }

  private async openSample(name: string | null): Promise<void> {
    if (name === null) {
      this.show(null);
      return;
    }
    try {
      const row = await this.client.find(name);
      if (row !== this.row.peek()) this.show(row);
    } catch (error) {
      this.failure.value = { sentence: sentenceOf(error), retry: () => void this.openSample(name) };
    }
  }

  /** @param object number of the object that is opened with the sample. */
  private show(row: number | null, object: number | null = null): void {
    this.asking?.abort();
    this.row.value = row;
    this.sample.value = row === null ? null : { state: "waiting" };
    this.visuals.value = row === null ? null : { state: "waiting" };
    this.near.value = row !== null && this.run.latent_spaces.length ? { state: "waiting" } : null;
    this.heatmap.value = null;
    this.asking = row === null ? null : new AbortController();
    this.panel.open(row, this.asking?.signal ?? null);
    if (row === null || !this.asking) return;
    const { signal: aborted } = this.asking;
    void this.client.sample(row, aborted).then(
      (value) => {
        if (aborted.aborted) return;
        this.sample.value = { state: "here", value };
        const name = `${value.state}/${value.sample_id}`;
        if (name !== this.view.peek().sample) this.set({ sample: name, object });
        this.lookAround(row, aborted);
      },
      (error: unknown) => {
        if (aborted.aborted) return;
        this.sample.value = { state: "failed", sentence: sentenceOf(error) };
        this.near.value = null;
      },
    );
    void this.client.visuals(row, aborted).then(
      (value) => {
        if (!aborted.aborted) this.visuals.value = { state: "here", value };
      },
      (error: unknown) => {
        if (!aborted.aborted) this.visuals.value = { state: "failed", sentence: sentenceOf(error) };
      },
    );
  }

  /** Asks what is near to the open sample, once its own facts are here. */
  private lookAround(row: number, aborted: AbortSignal): void {
    if (!this.run.latent_spaces.length) return;
    void this.client.similar(row, this.view.peek().space, aborted).then(
      (value) => {
        if (!aborted.aborted) this.near.value = { state: "here", value };
      },
      (error: unknown) => {
        if (!aborted.aborted) this.near.value = { state: "failed", sentence: sentenceOf(error) };
      },
    );
  }
}

/** Resolves when what is drawn now is on the screen. */
export function nextPicture(): Promise<void> {
  return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve())));
}

/** A selection with points added, taken away, or alone; null where none is left. */
function joined(
  before: Uint8Array | null,
  points: readonly number[],
  how: Joining,
  count: number,
): Uint8Array<ArrayBuffer> | null {
  const next = new Uint8Array(count);
  if (how !== "replace" && before) next.set(before);
  for (const point of points) next[point] = how === "remove" ? 0 : 1;
  return next.some(Boolean) ? next : null;
}
