/** The page's state: signals that the views read, and the few actions that change them. */

import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import {
  ANOTHER_RUN,
  ApiError,
  Client,
  type Filter,
  getRun,
  type Headline,
  type Insights,
  Memo,
  type Points,
  type Progress,
  type Run,
  type Summary,
} from "../api/client";
import type { Joining } from "../points/gestures";
import type { Theme } from "../points/scales";
import { type Answer, sentenceOf } from "./answer";
import { Chosen, rowsOf } from "./chosen";
import { type Asked, Filtering } from "./filtering";
import { InsightNotes } from "./insight-notes";
import { Layout } from "./layout";
import { MapState } from "./map";
import { ObjectState, placeOf, samplesOf } from "./objects";
import { Ordering } from "./ordering";
import { PanelState } from "./panel";
import { withProgress } from "./progress";
import { Tags } from "./tags";
import { fromHash, isSameView, toHash, type View } from "./view";

export interface Failure {
  sentence: string;
  retry: () => void;
}

export class Explorer {
  readonly view;
  readonly layout = new Layout();
  /** What is searched for; null while the search is closed. */
  readonly searching = signal<string | null>(null);
  /** The place of the tip that the tour shows; null outside a tour. */
  readonly tip = signal<number | null>(null);
  readonly theme = signal<Theme>("light");
  readonly failure = signal<Failure | null>(null);
  /** All that the server computes now, and how far it is. */
  readonly working = signal<readonly Progress[]>([]);
  readonly chosen: Chosen;
  readonly tags: Tags;
  readonly notes: InsightNotes;
  /** The open sample. */
  readonly panel: PanelState;
  /** How good the model is; null where the run has no score, or until it is here. */
  readonly headline = signal<Headline | null>(null);
  readonly insights = signal<Answer<Insights> | null>(null);
  /** Which samples meet the filters, and how the columns look under them. */
  readonly filtering: Filtering;
  /** What lies on the map. */
  readonly map: MapState;
  /** What the gallery shows. */
  readonly gallery: Ordering;
  readonly objects: ObjectState;
  /** The place of what is open among the tiles. */
  readonly tile: ReadonlySignal<number | null>;
  readonly hovered = signal<{ row: number; at: [number, number] } | null>(null);

  readonly client: Client;
  private readonly ids = new Memo<string>();
  private readonly known: Signal<Run>;

  constructor(run: Run) {
    this.known = signal(run);
    this.client = new Client(run.key);
    this.panel = new PanelState(this.client);
    this.objects = new ObjectState(run, this.client);
    this.filtering = new Filtering(run, this.client, (error, retry) => this.fail(error, retry));
    this.chosen = new Chosen(this, this.client);
    this.tags = new Tags(this, this.client);
    this.notes = new InsightNotes(this.client);
    this.view = signal<View>(fromHash(location.hash, run));
    this.tile = computed(() => this.placeIn(this.view.value.tiles));
    this.map = new MapState(this);
    this.gallery = new Ordering(this);
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
    this.map.learn(run, names);
    // Map, filters and histograms follow the run by themselves.
    this.known.value = run;
    this.gallery.learn(names);
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
    void this.client.headline().then(
      (headline) => {
        this.headline.value = headline;
      },
      (error: unknown) => this.fail(error, () => location.reload()),
    );
    this.map.start();
    this.gallery.start();
    this.filtering.follow(
      this.whatIsAsked(),
      computed(() => this.map.painted.value !== null),
    );
    this.chosen.start();
    this.tags.start();
    this.notes.start();
    void this.openSample(this.view.value.sample);
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

  /** Change the view; Back undoes it. */
  set(patch: Partial<View>): void {
    const next = { ...this.view.peek(), ...patch };
    if (isSameView(next, this.view.peek())) return;
    history.pushState(null, "", `#${toHash(next)}`);
    this.view.value = next;
  }

  /** Open a sample's panel; null closes it. */
  open(row: number | null): void {
    if (row === this.panel.row.peek()) return;
    if (row === null) this.close();
    else this.show(row);
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
    if (row === this.panel.row.peek()) this.set({ object });
    else this.show(row, object);
  }

  /** The previous or next tile in the gallery's order. */
  step(by: 1 | -1): void {
    const tiles = this.gallery.tiles.peek();
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
    const owners = this.map.owners();
    if (!owners) {
      this.select(points, how);
      return;
    }
    const mask = joined(this.map.drawnAround.peek(), points, how, owners.rows.length);
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

  /** The place of what is open among all samples, or all objects. */
  placeIn(of: Points): number | null {
    const row = this.panel.row.value;
    const { object } = this.view.value;
    const owners = this.objects.owners.value;
    if (of === "samples" || row === null) return row;
    return owners && object !== null ? placeOf(row, object, owners) : null;
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

  fail(error: unknown, retry: () => void): void {
    if (error instanceof ApiError && error.status === ANOTHER_RUN) {
      location.reload();
      return;
    }
    this.failure.value = { sentence: sentenceOf(error), retry };
  }

  private async openSample(name: string | null): Promise<void> {
    if (name === null) {
      this.panel.close();
      return;
    }
    try {
      const row = await this.client.find(name);
      if (row !== this.panel.row.peek()) this.show(row);
    } catch (error) {
      this.failure.value = { sentence: sentenceOf(error), retry: () => void this.openSample(name) };
    }
  }

  /** @param object number of the object that is opened with the sample. */
  private show(row: number, object: number | null = null): void {
    this.panel.open(row, {
      space: () => (this.run.latent_spaces.length ? this.view.peek().space : null),
      opened: (name) => {
        if (name !== this.view.peek().sample) this.set({ sample: name, object });
      },
    });
  }

  private close(): void {
    this.panel.close();
    this.set({ sample: null, object: null });
  }
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
