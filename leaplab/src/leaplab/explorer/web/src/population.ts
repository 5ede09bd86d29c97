/** Loads what a view needs, paints it, and keeps what legend and tooltip ask for. Recolouring fetches no projection. */

import { getColumn, getProjection, Memo, type Column, type ColumnValues, type ContinuousValues, type Run } from "./api";
import type { MapFrame, PopulationMap } from "./points/map";
import {
  drawOrder,
  encodeColour,
  encodeSize,
  palette,
  rarestOnTop,
  rowColours,
  sizeFactors,
  slotCounts,
  visibleMask,
  type ColourEncoding,
  type Range,
  type RowFilter,
  type Theme,
} from "./scales";
import type { View } from "./state";

/** Name of the column that holds each sample's state. */
const STATE_COLUMN = "sample.state";

/** What is on the map now. */
export interface Painted {
  colour: { values: ColumnValues | null; encoding: ColourEncoding; colours: string[] };
  size: { values: ContinuousValues; range: Range } | null;
  states: ColumnValues | null;
}

interface Sizing {
  values: ContinuousValues;
  factors: Float32Array;
  range: Range;
  order: Uint32Array;
}

export class Population {
  painted: Painted | null = null;
  private frame: MapFrame | null = null;
  private readonly columns = new Memo<ColumnValues>();
  private readonly projections = new Memo<Float32Array>();
  private readonly encodings = new WeakMap<ColumnValues, ColourEncoding>();
  private readonly places = new WeakMap<Float32Array, RowFilter | null>();
  private lastSizing: Sizing | null = null;
  private readonly arrived = new Set<string>();
  private latest = 0;

  constructor(
    private readonly run: Run,
    private readonly map: PopulationMap,
  ) {}

  /** Readies a view for `draw`. Resolves to false where a later call has overtaken this one; rejects with an ApiError. */
  async load(view: View, theme: Theme): Promise<boolean> {
    const turn = ++this.latest;
    const needed = Promise.all([
      this.projection(view),
      this.column(view.colour),
      this.column(view.size),
      this.column(STATE_COLUMN),
    ]);
    // A failure matters only to the view that still is asked for.
    await needed.catch(() => undefined);
    if (turn !== this.latest) return false;
    const [xy, colourValues, sizeValues, states] = await needed;
    const encoding = this.encoding(colourValues);
    const colours = palette(encoding, theme);
    const sized = sizeValues?.kind === "continuous" ? this.sizing(sizeValues) : null;
    this.painted = {
      colour: { values: colourValues, encoding, colours },
      size: sized && { values: sized.values, range: sized.range },
      states,
    };
    this.frame = {
      xy,
      colours: rowColours(encoding.codes, colours),
      factors: sized?.factors ?? null,
      order: sized?.order ?? this.colourOrder(colourValues),
    };
    return true;
  }

  /** Puts on the map what was loaded last. */
  draw(): void {
    if (this.frame) this.map.show(this.frame);
  }

  /** Hides what the view hides; gives the number of samples that are left. */
  applyFilters(view: View): number {
    const painted = this.painted;
    if (!painted) return 0;
    const { encoding } = painted.colour;
    const states = this.stateFilter(view);
    const filters: RowFilter[] = states ? [states] : [];
    if (encoding.kind === "categorical") {
      const hidden = encoding.entries.map(({ key }) => view.hiddenCategories.includes(key));
      filters.push({ codes: encoding.codes, hidden });
    }
    const places = this.frame && this.unplaced(this.frame.xy);
    if (places) filters.push(places);
    const visible = visibleMask(this.run.samples, filters);
    this.map.filter(visible?.mask ?? null);
    return visible?.count ?? this.run.samples;
  }

  /** Number of samples of each legend entry, in the states that the view shows. */
  entryCounts(view: View): number[] {
    const encoding = this.painted?.colour.encoding;
    if (encoding?.kind !== "categorical") return [];
    return slotCounts(encoding.codes, this.stateFilter(view), encoding.entries.length);
  }

  private stateFilter(view: View): RowFilter | null {
    const states = this.painted?.states;
    if (states?.kind !== "categorical") return null;
    const names = states.column.categories ?? [];
    return { codes: states.codes, hidden: names.map((name) => view.hiddenStates.includes(name)) };
  }

  /** Hides samples that have no place on a map; null where all have one. */
  private unplaced(xy: Float32Array): RowFilter | null {
    const known = this.places.get(xy);
    if (known !== undefined) return known;
    const codes = Int32Array.from({ length: xy.length / 2 }, (_, row) => (Number.isFinite(xy[2 * row]!) ? 0 : 1));
    const filter = codes.includes(1) ? { codes, hidden: [false, true] } : null;
    this.places.set(xy, filter);
    return filter;
  }

  retheme(theme: Theme): void {
    if (!this.painted || !this.frame) return;
    const { encoding } = this.painted.colour;
    this.painted.colour.colours = palette(encoding, theme);
    this.frame = { ...this.frame, colours: rowColours(encoding.codes, this.painted.colour.colours) };
    this.map.setTheme(theme);
    this.map.show(this.frame);
  }

  private encoding(values: ColumnValues | null): ColourEncoding {
    const known = values && this.encodings.get(values);
    if (known) return known;
    const encoding = encodeColour(values, this.run.samples);
    if (values) this.encodings.set(values, encoding);
    return encoding;
  }

  private sizing(values: ContinuousValues): Sizing {
    // The last one only: a million draw orders take room, and one column of sizes is in use at a time.
    if (this.lastSizing?.values === values) return this.lastSizing;
    const { levels, range } = encodeSize(values);
    return (this.lastSizing = { values, factors: sizeFactors(levels), range, order: drawOrder(levels) });
  }

  private colourOrder(values: ColumnValues | null): Uint32Array | null {
    return values?.kind === "continuous" ? rarestOnTop(values) : null;
  }

  /** Whether the view's projection has arrived. */
  hasMap(view: View): boolean {
    return this.arrived.has(mapKey(view));
  }

  private async projection(view: View): Promise<Float32Array> {
    const key = mapKey(view);
    const xy = await this.projections.get(key, () => getProjection(view.space, view.projection, this.run.samples));
    this.arrived.add(key);
    return xy;
  }

  private async column(name: string | null): Promise<ColumnValues | null> {
    const column: Column | undefined = this.run.columns.find((one) => one.name === name);
    if (!column || column.kind === "text") return null;
    return this.columns.get(column.name, () => getColumn(column, this.run.samples));
  }
}

function mapKey({ space, projection }: View): string {
  return JSON.stringify([space, projection]);
}
