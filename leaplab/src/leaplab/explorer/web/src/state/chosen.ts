/** What is selected, and where that comes from: a tag, an insight, or a person's own choice. */

import { batch, computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import type { Client, Insight } from "../api/client";
import { decodeMask, encodeMask } from "../api/values";
import type { Joining } from "../points/gestures";
import { save } from "../ui/save";
import type { Explorer } from "./explorer";

const NOBODY = new Uint32Array();

/** Rows in an order that no column gives. */
export interface Ranked {
  rows: Uint32Array;
  /** What they are in the order of. */
  by: string;
}

export class Chosen {
  /** 1 for each row that is selected; null: nothing is, which is another thing than an empty tag. */
  readonly mask = signal<Uint8Array | null>(null);
  /** While tiles of the gallery are ticked: what it goes on to show. */
  readonly ticking = signal<{ readonly among: Uint8Array | null } | null>(null);
  /** What is selected, where it has an order of its own. */
  readonly ranked: ReadonlySignal<Ranked | null>;
  /** What the gallery shows; null: all. */
  readonly among: ReadonlySignal<Uint8Array | null>;
  readonly count: ReadonlySignal<number>;
  /** In the gallery's order, what a tag or a table is made of: those selected of what it shows, else all of that. */
  readonly rows: ReadonlySignal<Uint32Array>;

  /** The tag or insight whose samples are selected. */
  private followed: string | null = null;
  private turn = 0;
  /** Good as long as the gallery shows the selection that came with it. */
  private readonly ranking = signal<{ ranked: Ranked; mask: Uint8Array | null } | null>(null);

  constructor(
    private readonly explorer: Explorer,
    private readonly client: Client,
  ) {
    this.among = computed(() => (this.ticking.value ? this.ticking.value.among : this.mask.value));
    this.ranked = computed(() => {
      const ranking = this.ranking.value;
      return ranking && ranking.mask === this.among.value ? ranking.ranked : null;
    });
    this.count = computed(() => this.mask.value?.reduce((sum, one) => sum + one, 0) ?? 0);
    this.rows = computed(() => {
      const shown = explorer.gallery.rows.value ?? NOBODY;
      const mask = this.mask.value;
      return mask ? shown.filter((row) => mask[row]) : shown;
    });
  }

  /** Follow the view; a reload, or Back from another page, brings back what was selected by hand. */
  start(): void {
    const { run, view } = this.explorer;
    const kept = `selection ${run.key}`;
    const entry = performance.getEntriesByType("navigation")[0] as PerformanceNavigationTiming | undefined;
    const before = sessionStorage.getItem(kept);
    const { tag, insight } = view.peek();
    if (before && entry?.type !== "navigate" && tag === null && insight === null) {
      this.mask.value = decodeMask(before, run.samples);
    }
    effect(() => {
      const mask = this.mask.value;
      if (mask) sessionStorage.setItem(kept, encodeMask(rowsOf(mask), run.samples));
      else sessionStorage.removeItem(kept);
    });
    effect(() => {
      // An insight is followed when they are here.
      void this.explorer.insights.value;
      void this.follow();
    });
  }

  select(rows: readonly number[], how: Joining): void {
    batch(() => {
      this.ticking.value = null;
      this.join(rows, how);
    });
  }

  /** Select rows and keep their order. */
  choose(rows: readonly number[], by: string): void {
    batch(() => {
      this.select(rows, "replace");
      const ranked = { rows: Uint32Array.from(rows), by };
      this.ranking.value = rows.length ? { ranked, mask: this.mask.peek() } : null;
    });
  }

  /** Let a column give the order again. */
  forgetOrder(): void {
    this.ranking.value = null;
  }

  /** Select or deselect tiles; the gallery goes on to show the others. */
  tick(rows: readonly number[], how: "add" | "remove"): void {
    batch(() => {
      this.ticking.value ??= { among: this.mask.peek() };
      this.join(rows, how);
      if (!this.mask.peek()) this.ticking.value = null;
    });
  }

  /** Select a tag's samples; the same once more selects none. */
  openTag(name: string): void {
    if (this.explorer.view.peek().tag === name) this.select([], "replace");
    else this.go({ tag: name, insight: null });
  }

  /** Select an insight's members; the same once more selects none. */
  openInsight({ stable_id }: Insight): void {
    if (this.explorer.view.peek().insight === stable_id) this.select([], "replace");
    else this.go({ tag: null, insight: stable_id });
  }

  /** Select what the view names, anew where its samples may be others now. */
  async follow(anew = false): Promise<void> {
    const { tag, insight } = this.explorer.view.peek();
    const name = tag !== null ? `tag ${tag}` : insight !== null ? `insight ${insight}` : null;
    if (name === this.followed && !anew) return;
    const turn = ++this.turn;
    if (name === null) {
      this.followed = null;
      this.ticking.value = null;
      this.mask.value = null;
      return;
    }
    const rows = await (tag !== null ? this.explorer.tags.rows(tag) : this.members(insight!));
    if (turn !== this.turn || rows === null) return;
    this.followed = name;
    this.put(rows);
  }

  /** Save what is chosen as a table. */
  async save(format: "csv" | "json"): Promise<void> {
    const rows = this.rows.peek();
    const { run, view } = this.explorer;
    try {
      const table = await this.client.table(encodeMask(rows, run.samples), format);
      save(table, [run.name, view.peek().tag, `${rows.length}.${format}`].filter((part) => part).join("-"));
    } catch (error) {
      this.explorer.fail(error, () => void this.save(format));
    }
  }

  private join(rows: readonly number[], how: Joining): void {
    const before = this.mask.peek();
    const next = how === "replace" || !before ? new Uint8Array(this.explorer.run.samples) : before.slice();
    for (const row of rows) next[row] = how === "remove" ? 0 : 1;
    this.turn++;
    this.followed = null;
    this.mask.value = next.some(Boolean) ? next : null;
    this.explorer.set({ tag: null, insight: null });
  }

  private go(to: { tag: string | null; insight: string | null }): void {
    this.explorer.set(to);
    void this.follow();
  }

  private put(rows: Iterable<number>): void {
    const mask = new Uint8Array(this.explorer.run.samples);
    for (const row of rows) mask[row] = 1;
    this.ticking.value = null;
    this.mask.value = mask;
  }

  /** Null where there is no such insight, or none is here yet. */
  private async members(stableId: string): Promise<Uint32Array | null> {
    const answer = this.explorer.insights.peek();
    const found = answer?.state === "here" && answer.value.insights.find(({ stable_id }) => stable_id === stableId);
    if (!found) return null;
    try {
      return await this.client.members(found.id);
    } catch (error) {
      this.explorer.fail(error, () => void this.follow(true));
      return null;
    }
  }
}

export function rowsOf(mask: Uint8Array): number[] {
  const rows: number[] = [];
  for (let row = 0; row < mask.length; row++) if (mask[row]) rows.push(row);
  return rows;
}
