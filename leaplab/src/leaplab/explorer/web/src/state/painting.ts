/** Loads what a view needs and makes of it what the map draws. Recolouring fetches no map. */

import { type Client, type Column, Memo, type Points, type Run } from "../api/client";
import { type ColumnValues, type ContinuousValues, decodeCategories, decodeMap, decodeNumbers } from "../api/values";
import {
  type ColourEncoding,
  drawOrder,
  encodeColour,
  encodeSize,
  type RowFilter,
  rarestOnTop,
  sizeFactors,
} from "../points/scales";
import type { View } from "./view";

/** Name of the column that holds each sample's state. */
export const STATE_COLUMN = "sample.state";

/** Name of the column that says what an object is called. */
const NAME_COLUMN = "name";

/** What a map is of: the samples of a run, or its objects. */
export interface Table {
  of: Points;
  /** Number of points. */
  count: number;
  columns: Column[];
}

export function tableOf(run: Run, of: Points): Table {
  if (of === "objects" && run.objects) return { of, count: run.objects.count, columns: run.objects.columns };
  return { of: "samples", count: run.samples, columns: run.columns };
}

/** What is on the map now; the same arrays mean the same values. */
export interface Painted {
  table: Table;
  xy: Float32Array;
  /** The projection that `xy` is of: another than the view's while that is computed. */
  projection: string;
  colour: { values: ColumnValues | null; encoding: ColourEncoding };
  size: Sizing | null;
  order: Uint32Array | null;
  states: ColumnValues | null;
  /** What the objects are called, where that is told; of samples null. */
  names: ColumnValues | null;
  /** Hides samples that have no place; null where all have one. */
  unplaced: RowFilter | null;
}

export interface Sizing {
  values: ContinuousValues;
  factors: Float32Array;
  order: Uint32Array;
}

export class Painter {
  private readonly columns = new Memo<ColumnValues>();
  private readonly maps = new Memo<Float32Array>();
  private readonly encodings = new WeakMap<ColumnValues, ColourEncoding>();
  private readonly unplacedOf = new WeakMap<Float32Array, RowFilter | null>();
  private lastSizing: Sizing | null = null;
  private lastOrder: { values: ColumnValues; order: Uint32Array } | null = null;

  constructor(
    private table: Table,
    private readonly client: Client,
  ) {}

  /** Follow a table whose columns of these names are new, or others than before. */
  learn(table: Table, names: readonly string[]): void {
    this.table = table;
    for (const name of names) this.columns.forget(name);
  }

  /** What a view paints, by the projection that is ready. Rejects with an ApiError. */
  async paint(view: View, projection: string): Promise<Painted> {
    const [xy, colour, size, states, names] = await Promise.all([
      this.maps.get(JSON.stringify([view.space, projection]), async () =>
        decodeMap(await this.client.map(view.space, projection, this.table.of), this.table.count),
      ),
      this.column(view.colour),
      this.column(view.size),
      this.column(STATE_COLUMN),
      this.table.of === "objects" ? this.column(NAME_COLUMN) : null,
    ]);
    const sized = size?.kind === "continuous" ? this.sizing(size) : null;
    return {
      table: this.table,
      xy,
      projection,
      colour: { values: colour, encoding: this.encoding(colour) },
      size: sized,
      order: sized?.order ?? this.colourOrder(colour),
      states,
      names,
      unplaced: this.unplaced(xy),
    };
  }

  private async column(name: string | null): Promise<ColumnValues | null> {
    const column = this.table.columns.find((one) => one.name === name);
    if (!column || column.kind === "text") return null;
    return this.columns.get(column.name, async () => {
      const { of, count } = this.table;
      const asked = this.client.codes(column.name, of);
      if (column.kind === "categorical") return decodeCategories(await asked, column, count);
      const [codes, summary] = await Promise.all([asked, this.client.summary(column.name, of)]);
      return decodeNumbers(codes, column, summary.scale!, count);
    });
  }

  private encoding(values: ColumnValues | null): ColourEncoding {
    const known = values && this.encodings.get(values);
    if (known) return known;
    const encoding = encodeColour(values, this.table.count);
    if (values) this.encodings.set(values, encoding);
    return encoding;
  }

  private sizing(values: ContinuousValues): Sizing {
    // The last one only: a million draw orders take room, and one column of sizes is in use at a time.
    if (this.lastSizing?.values === values) return this.lastSizing;
    const levels = encodeSize(values);
    this.lastSizing = { values, factors: sizeFactors(levels), order: drawOrder(levels) };
    return this.lastSizing;
  }

  private colourOrder(values: ColumnValues | null): Uint32Array | null {
    if (values?.kind !== "continuous") return null;
    if (this.lastOrder?.values !== values) this.lastOrder = { values, order: rarestOnTop(values) };
    return this.lastOrder.order;
  }

  private unplaced(xy: Float32Array): RowFilter | null {
    const known = this.unplacedOf.get(xy);
    if (known !== undefined) return known;
    const codes = Uint8Array.from({ length: xy.length / 2 }, (_, row) => (Number.isFinite(xy[2 * row]!) ? 0 : 1));
    const filter = codes.includes(1) ? { codes, hidden: [false, true] } : null;
    this.unplacedOf.set(xy, filter);
    return filter;
  }
}
