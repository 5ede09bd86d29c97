/** What the gallery shows, and in which order. */

import { batch, computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import { Memo } from "../api/client";
import type { Explorer } from "./explorer";

export class Ordering {
  /** The column that samples are sorted by, the highest first; null: by row. */
  readonly sortedBy: ReadonlySignal<string | null>;
  /** Rows: those selected, else all that are shown; null while the order is on its way. */
  readonly rows: ReadonlySignal<Uint32Array | null>;
  /** What the gallery shows: these rows, or the places of their objects. */
  readonly tiles: ReadonlySignal<Uint32Array | null>;

  /** Whether what is shown stands in the order of another column still. */
  readonly isWaiting: ReadonlySignal<boolean>;

  private readonly order = signal<Uint32Array | null>(null);
  /** The columns that the two orders are of; undefined before there is one. */
  private readonly orderedBy = signal<string | null | undefined>(undefined);
  private readonly objectsOrderedBy = signal<string | null | undefined>(undefined);
  private readonly orders = new Memo<Uint32Array>();

  constructor(private readonly explorer: Explorer) {
    const { chosen, objects } = explorer;
    this.sortedBy = computed(() => explorer.view.value.sort);
    this.rows = computed(() => {
      const order = chosen.ranked.value?.rows ?? this.order.value;
      if (!order) return null;
      const among = chosen.among.value;
      const shown = explorer.map.visible.value.mask;
      return among || shown ? within(order, among, shown) : order;
    });
    this.tiles = computed(() => {
      if (explorer.view.value.tiles === "samples") return this.rows.value;
      const owners = objects.owners.value;
      const order = objects.order.value;
      if (!owners || !order) return null;
      const drawn = explorer.map.drawnAround.value;
      const among = drawn ? null : chosen.among.value;
      const ofObjects = explorer.map.painted.value?.table.of === "objects";
      const shown = (ofObjects ? explorer.map.shown : explorer.map.visible).value.mask;
      if (!drawn && !among && !shown) return order;
      return order.filter((object) => {
        const row = owners.rows[object]!;
        return (drawn?.[object] ?? 1) && (among?.[row] ?? 1) && (shown?.[ofObjects ? object : row] ?? 1);
      });
    });
    this.isWaiting = computed(() => {
      const { tiles, objectSort } = explorer.view.value;
      if (tiles === "objects") return this.objectsOrderedBy.value !== objectSort;
      return !chosen.ranked.value && this.orderedBy.value !== this.sortedBy.value;
    });
  }

  /** Begin to follow the choice of a column. */
  start(): void {
    const { view } = this.explorer;
    effect(() => this.sort(this.sortedBy.value));
    effect(() => {
      if (view.value.tiles === "objects") this.sortObjects(view.value.objectSort);
    });
  }

  /** These columns are new, or others than before. */
  learn(names: readonly string[]): void {
    for (const name of names) this.orders.forget(name);
    const sorted = this.sortedBy.peek();
    if (sorted !== null && names.includes(sorted)) this.sort(sorted);
  }

  private sort(column: string | null): void {
    const { client, run } = this.explorer;
    if (column === null) {
      this.put(counted(run.samples), column);
      return;
    }
    void this.orders
      .get(column, () => client.order(column, true))
      .then(
        (order) => {
          if (this.sortedBy.peek() === column) this.put(order, column);
        },
        (error: unknown) => this.explorer.fail(error, () => this.sort(column)),
      );
  }

  private put(order: Uint32Array, column: string | null): void {
    batch(() => {
      this.order.value = order;
      this.orderedBy.value = column;
    });
  }

  private sortObjects(column: string | null): void {
    const { client, objects, run, view } = this.explorer;
    const order =
      column === null
        ? Promise.resolve(counted(run.objects?.count ?? 0))
        : this.orders.get(`objects ${column}`, () => client.order(column, true, "objects"));
    void Promise.all([order, objects.load()]).then(
      ([sorted]) => {
        if (view.peek().objectSort !== column) return;
        batch(() => {
          objects.order.value = sorted;
          this.objectsOrderedBy.value = column;
        });
      },
      (error: unknown) => this.explorer.fail(error, () => this.sortObjects(column)),
    );
  }
}

/** Those of an order that are in both masks; null holds all. A loop: `filter` takes five times as long for a million. */
function within(order: Uint32Array, one: Uint8Array | null, other: Uint8Array | null): Uint32Array {
  const rows = new Uint32Array(order.length);
  let count = 0;
  for (let place = 0; place < order.length; place++) {
    const row = order[place]!;
    if ((!one || one[row]) && (!other || other[row])) rows[count++] = row;
  }
  return rows.subarray(0, count);
}

/** 0, 1, 2, ... */
function counted(count: number): Uint32Array {
  const rows = new Uint32Array(count);
  for (let place = 0; place < count; place++) rows[place] = place;
  return rows;
}
