/** The map of a population: points, camera, what is pointed at, and where a row lies on the screen. */

import {
  type Bounds,
  boundsOf,
  type Framing,
  frameBounds,
  pixelSize,
  toMap,
  toScreen,
  type Viewport,
  zoomedAt,
} from "./camera";
import { Gestures, type Joining, type Tool } from "./gestures";
import { PointGrid } from "./grid";
import type { Label } from "./labels";
import type { Outline } from "./outlines";
import { Overlay } from "./overlay";
import { rowsInside } from "./region";
import { PointRenderer } from "./renderer";
import { pointStyle, type Theme } from "./scales";
import { type Direction, nearestTo, nearestTowards } from "./steps";

export interface MapFrame {
  /** x0 y0 x1 y1 ...; the same array means the same map. */
  xy: Float32Array;
  /** Red, green, blue and opacity of each row, a byte each. */
  colours: Uint8Array;
  /** Radius of each row in units of the base size; null: all have it. */
  factors: Float32Array | null;
  /** Rows in drawing order, the last on top; null: in row order. */
  order: Uint32Array | null;
}

export interface MapEvents {
  /** `at` is the point's position in client coordinates. */
  hover(row: number | null, at: [number, number] | undefined): void;
  select(row: number | null): void;
  /** Rows that a person has drawn around. */
  enclose(rows: number[], how: Joining): void;
}

const BACKGROUND: Record<Theme, readonly [number, number, number]> = {
  light: [1, 1, 1],
  dark: [20 / 255, 22 / 255, 27 / 255],
};
/** CSS pixels around a point in which it still is pointed at. */
const SLACK = 3;
/** Milliseconds without a change after which a new size counts: a panel that opens comes before the map's new picture. */
const SETTLED = 100;

export class PopulationMap {
  private readonly canvas = document.createElement("canvas");
  private readonly overlay: Overlay;
  private readonly gestures: Gestures;
  private renderer: PointRenderer;
  private frame: MapFrame | null = null;
  private shown: Uint8Array | null = null;
  private grid: PointGrid | null = null;
  private ranks: Uint32Array | null = null;
  private largest = 1;
  private camera: Framing = { x: 0, y: 0, distance: 1 };
  private fitted: Framing = this.camera;
  private view: Viewport = { width: 1, height: 1 };
  private bounds: Bounds = boundsOf(new Float32Array());
  private hovered: number | null = null;
  private selected: number | null = null;
  private pointer: [number, number] | null = null;
  private scheduled = false;
  private unpainted = false;
  private settling: number | undefined;
  private wanted: number | null = null;

  /** Throws where the browser has no WebGL 2. */
  constructor(
    private readonly host: HTMLElement,
    private readonly events: MapEvents,
    private theme: Theme,
  ) {
    this.renderer = new PointRenderer(this.canvas);
    host.append(this.canvas);
    this.overlay = new Overlay(host);
    this.gestures = new Gestures(this.canvas, {
      pan: (right, down) => this.pan(right, down),
      zoom: (factor, left, top) => this.zoom(factor, left, top),
      point: (at) => this.pointTo(at),
      click: (left, top) => this.events.select(this.at(left, top)),
      outline: (corners) => this.overlay.setRegion(corners),
      enclose: (corners, how) => this.enclose(corners, how),
    });
    this.canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    this.canvas.addEventListener("webglcontextrestored", () => this.restore());
    window.addEventListener("blur", () => this.pointTo(null));
    new ResizeObserver(() => this.resize()).observe(host);
    this.followDensity();
    this.measure();
  }

  set tool(tool: Tool) {
    this.gestures.tool = tool;
    this.host.dataset.tool = tool;
  }

  /** Draws a frame with the next picture of the screen. */
  show(frame: MapFrame): void {
    const before = this.frame;
    this.frame = frame;
    if (before?.xy !== frame.xy) {
      this.renderer.setPlaces(frame.xy);
      this.bounds = boundsOf(frame.xy);
      this.grid = null;
      this.fit();
    }
    if (before?.colours !== frame.colours) this.renderer.setColours(frame.colours);
    if (!before || before.factors !== frame.factors || before.xy.length !== frame.xy.length) {
      this.renderer.setFactors(frame.factors);
      this.largest = frame.factors ? frame.factors.reduce((most, factor) => Math.max(most, factor), 0) : 1;
    }
    if (!before || before.order !== frame.order) {
      this.renderer.setOrder(frame.order);
      this.ranks = null;
    }
    this.draw();
  }

  /** Shows only the rows that are not 0; null shows all. */
  filter(shown: Uint8Array | null): void {
    this.shown = shown;
    this.renderer.setShown(shown);
    this.draw();
  }

  /** Writes names on the map in the place of the former ones. */
  setLabels(labels: readonly Label[]): void {
    this.overlay.setLabels(labels);
    this.overlay.place(this.camera, this.view);
  }

  /** Draws lines on the map in the place of the former ones. */
  setOutlines(outlines: readonly Outline[]): void {
    this.overlay.setOutlines(outlines);
    this.overlay.place(this.camera, this.view);
  }

  /** Marks a row, and moves the camera where it lies outside of the view. */
  select(row: number | null): void {
    this.selected = row;
    this.placeRings();
    this.wanted = row;
    // The panel of the sample may just have opened: its width is taken from the map with the next picture.
    if (row !== null) requestAnimationFrame(() => requestAnimationFrame(() => this.bringIntoView()));
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    this.draw();
  }

  /** [x, y] in client coordinates, or undefined before the first drawing and for rows that have no place. */
  screenPosition(row: number): [number, number] | undefined {
    const at = this.locate(row);
    if (!at) return undefined;
    const box = this.canvas.getBoundingClientRect();
    return [box.left + at[0], box.top + at[1]];
  }

  /** The whole map. */
  fit(): void {
    this.fitted = frameBounds(this.bounds, this.view.width, this.view.height);
    this.lookFrom(this.fitted);
  }

  /** Above 1: closer, with the middle staying where it is. */
  zoomBy(factor: number): void {
    this.zoom(factor, this.view.width / 2, this.view.height / 2);
  }

  /** In halves of the height that is seen. */
  move(right: number, up: number): void {
    this.pan(-right * (this.view.height / 2), up * (this.view.height / 2));
  }

  /** The part of the map that these rows take; nothing where none has a place. */
  fitTo(rows: readonly number[]): void {
    if (!this.frame) return;
    const places = new Float32Array(rows.length * 2);
    for (const [at, row] of rows.entries()) places.set(this.frame.xy.subarray(2 * row, 2 * row + 2), 2 * at);
    if (!places.some(Number.isFinite)) return;
    this.lookFrom(frameBounds(boundsOf(places), this.view.width, this.view.height));
  }

  /** The shown row that is nearest to the middle of what is seen. */
  middle(): number | null {
    return this.frame && nearestTo(this.frame.xy, this.camera.x, this.camera.y, (row) => this.isShown(row));
  }

  /** The shown row that lies next in a direction. */
  next(from: number, direction: Direction): number | null {
    return this.frame && nearestTowards(this.frame.xy, from, direction, (row) => this.isShown(row));
  }

  private lookFrom(camera: Framing): void {
    this.camera = camera;
    this.draw();
  }

  private pan(right: number, down: number): void {
    const pixel = pixelSize(this.camera, this.view);
    this.lookFrom({ ...this.camera, x: this.camera.x - right * pixel, y: this.camera.y + down * pixel });
  }

  private zoom(factor: number, left: number, top: number): void {
    this.lookFrom(zoomedAt(this.camera, this.view, factor, left, top));
  }

  private draw(): void {
    this.unpainted = true;
    this.schedule();
  }

  /** Once a picture of the screen, paints where something has changed, and looks what lies under the pointer. */
  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => {
      this.scheduled = false;
      if (this.unpainted) this.paint();
      this.hover(this.pointer ? this.at(...this.pointer) : null);
    });
  }

  private paint(): void {
    if (!this.frame) return;
    this.unpainted = false;
    const { radius, opacity } = this.style();
    const { camera, view, largest } = this;
    this.renderer.draw({ camera, view, radius, largest, opacity, background: BACKGROUND[this.theme] });
    this.placeRings();
    this.overlay.place(camera, view);
  }

  private style(): { radius: number; opacity: number } {
    const zoom = this.fitted.distance / this.camera.distance;
    const { size, opacity } = pointStyle((this.frame?.xy.length ?? 0) / 2, zoom);
    return { radius: size / 2, opacity };
  }

  /** The row at CSS pixels of the canvas. */
  private at(left: number, top: number): number | null {
    const { frame } = this;
    if (!frame) return null;
    this.grid ??= new PointGrid(frame.xy);
    const pixel = pixelSize(this.camera, this.view);
    const radius = this.style().radius * pixel;
    const most = this.renderer.largestRadius * pixel;
    const { factors } = frame;
    const ranks = this.rankOf();
    return this.grid.topmost(
      ...toMap(this.camera, this.view, left, top),
      (row) => Math.min(most, (factors ? factors[row]! : 1) * radius),
      Math.min(most, this.largest * radius),
      ranks ? (row) => ranks[row]! : (row) => row,
      (row) => this.isShown(row),
      SLACK * pixel,
    );
  }

  private rankOf(): Uint32Array | null {
    const order = this.frame?.order;
    if (!order) return null;
    if (!this.ranks) {
      this.ranks = new Uint32Array(order.length);
      for (let rank = 0; rank < order.length; rank++) this.ranks[order[rank]!] = rank;
    }
    return this.ranks;
  }

  private enclose(corners: number[], how: Joining): void {
    if (!this.frame) return;
    this.grid ??= new PointGrid(this.frame.xy);
    const polygon: number[] = [];
    for (let at = 0; at < corners.length; at += 2) {
      polygon.push(...toMap(this.camera, this.view, corners[at]!, corners[at + 1]!));
    }
    this.events.enclose(
      rowsInside(this.grid, this.frame.xy, polygon, (row) => this.isShown(row)),
      how,
    );
  }

  private isShown(row: number): boolean {
    return this.shown === null || this.shown[row]! > 0;
  }

  /** [x, y] in CSS pixels of the canvas. */
  private locate(row: number): [number, number] | undefined {
    const [x, y] = [this.frame?.xy[2 * row], this.frame?.xy[2 * row + 1]];
    if (x === undefined || y === undefined || !Number.isFinite(x)) return undefined;
    return toScreen(this.camera, this.view, x, y);
  }

  private bringIntoView(): void {
    const { wanted } = this;
    if (wanted === null || this.settling !== undefined) return; // it is looked for again when the size has settled
    this.wanted = null;
    const at = this.locate(wanted);
    if (!at || this.isFitted()) return;
    const inside = at[0] >= 0 && at[1] >= 0 && at[0] <= this.view.width && at[1] <= this.view.height;
    const [x, y] = this.frame!.xy.subarray(2 * wanted, 2 * wanted + 2);
    if (!inside) this.lookFrom({ ...this.camera, x: x!, y: y! });
  }

  private isFitted(): boolean {
    return this.camera === this.fitted;
  }

  private pointTo(at: [number, number] | null): void {
    this.pointer = at;
    this.schedule();
  }

  private hover(row: number | null): void {
    if (row === null && this.hovered === null) return;
    this.hovered = row;
    this.canvas.style.cursor = row === null ? "" : "pointer";
    this.placeRings();
    this.events.hover(row, row === null ? undefined : this.screenPosition(row));
  }

  private placeRings(): void {
    const placed = (row: number | null): [number, number] | undefined => (row === null ? undefined : this.locate(row));
    this.overlay.setRing("hovered", placed(this.hovered));
    this.overlay.setRing(
      "selected",
      this.selected !== null && this.isShown(this.selected) ? placed(this.selected) : undefined,
    );
  }

  private measure(): void {
    this.view = { width: Math.max(1, this.host.clientWidth), height: Math.max(1, this.host.clientHeight) };
  }

  private resize(): void {
    window.clearTimeout(this.settling);
    this.settling = window.setTimeout(() => {
      this.settling = undefined;
      const wasFitted = this.isFitted();
      this.measure();
      if (wasFitted) this.fit();
      else this.draw();
      this.bringIntoView();
    }, SETTLED);
  }

  /** Paints anew where the window comes to a screen of another density. */
  private followDensity(): void {
    const query = window.matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`);
    const changed = (): void => {
      this.followDensity();
      this.draw();
    };
    query.addEventListener("change", changed, { once: true });
  }

  /** The graphics driver has dropped everything: a new renderer is given all of it. */
  private restore(): void {
    const { frame } = this;
    this.renderer = new PointRenderer(this.canvas);
    this.renderer.setShown(this.shown);
    this.renderer.setFactors(null);
    this.renderer.setOrder(null);
    if (!frame) return;
    this.renderer.setPlaces(frame.xy);
    this.renderer.setColours(frame.colours);
    this.renderer.setFactors(frame.factors);
    this.renderer.setOrder(frame.order);
    this.draw();
  }
}
