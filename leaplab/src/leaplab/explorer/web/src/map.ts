/** The WebGL map: points, colours, sizes, filter, hover, click, and where a row lies on the screen. */

import createScatterplot from "regl-scatterplot";
import { h } from "./dom";
import { boundsOf, frameBounds, type Bounds, type Framing } from "./framing";
import { addNavigation } from "./navigation";
import { pointStyle, type Theme } from "./scales";

export interface MapFrame {
  /** x0 y0 x1 y1 ...; the same array means the same map. */
  xy: Float32Array;
  colourCodes: ArrayLike<number>;
  colours: string[];
  /** Null: all points have the base size. */
  sizeLevels: ArrayLike<number> | null;
  /** In units of the base size, one a level. */
  sizeFactors: number[];
  /** Rows in drawing order, the last on top; null: in row order. */
  order: number[] | null;
}

export interface MapEvents {
  hover(row: number | null): void;
  select(row: number | null): void;
}

type Scatterplot = ReturnType<typeof createScatterplot>;

const BACKGROUND: Record<Theme, string> = { light: "#ffffff", dark: "#14161b" };
/** Movement in CSS pixels up to which a press is a click and no drag. */
const CLICK_SLACK = 4;

export class PopulationMap {
  private readonly canvas = h("canvas");
  private readonly hoverRing = h("div", { class: "ring", hidden: true });
  private readonly selectedRing = h("div", { class: "ring selected", hidden: true });
  private readonly plot: Scatterplot;
  private points: number[][] = [];
  private xy: Float32Array | null = null;
  private spatialIndex: ArrayBuffer | undefined;
  private hovered: number | null = null;
  private selected: number | null = null;
  private opacity = { base: 0.65, now: 0 };
  private order: number[] | null = null;
  private bounds: Bounds = boundsOf(new Float32Array());
  private fitted: Framing = { x: 0, y: 0, distance: 1 };
  private work: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly host: HTMLElement,
    private readonly events: MapEvents,
    private theme: Theme,
    /** Width in CSS pixels that something covers at the right of the map. */
    private readonly covered: () => number,
  ) {
    host.append(this.canvas, this.selectedRing, this.hoverRing);
    addNavigation(host, {
      zoom: (factor) => void this.lookAt(this.target(), this.distance() / factor),
      move: (right, up) => {
        const [x, y] = this.target();
        void this.lookAt([x + right * this.distance(), y + up * this.distance()], this.distance());
      },
      fit: () => void this.fit(),
    });
    this.plot = createScatterplot({
      canvas: this.canvas,
      backgroundColor: BACKGROUND[theme],
      colorBy: "valueA",
      sizeBy: "valueB",
      // A worker would copy a million small arrays twice: slower than the index itself.
      spatialIndexUseWorker: false,
      deselectOnDblClick: false,
      deselectOnEscape: false,
      actionKeyMap: {},
      pointSizeSelected: 5,
      pointOutlineWidth: 2,
    } as Parameters<typeof createScatterplot>[0]);
    this.listen();
  }

  /** Draws a frame; calls are carried out one after the other. */
  show(frame: MapFrame): Promise<void> {
    return this.enqueue(() => this.draw(frame));
  }

  /** Shows only these rows; null shows all. */
  filter(rows: number[] | null): Promise<void> {
    return this.enqueue(async () => {
      if (rows === null && !this.plot.get("isPointsFiltered")) return;
      const done =
        rows === null ? this.plot.unfilter({ preventEvent: true }) : this.plot.filter(rows, { preventEvent: true });
      await done;
      this.markSelected();
    });
  }

  /** Marks a row, and moves the camera where it lies outside of the view. */
  select(row: number | null): void {
    this.selected = row;
    void this.enqueue(async () => {
      this.markSelected();
      if (row !== null) await this.bringIntoView(row);
    });
  }

  setTheme(theme: Theme, colours: string[]): void {
    this.theme = theme;
    void this.enqueue(async () => this.recolour(colours));
  }

  /** [x, y] in client coordinates, or undefined before the first drawing and for rows that do not exist. */
  screenPosition(row: number): [number, number] | undefined {
    const at = this.locate(row);
    if (!at) return undefined;
    const box = this.canvas.getBoundingClientRect();
    return [box.left + at[0], box.top + at[1]];
  }

  /** The whole map, centred in what is left of the width beside the legend. */
  async fit(): Promise<void> {
    this.fitted = frameBounds(this.bounds, this.host.clientWidth, this.host.clientHeight, this.covered());
    await this.lookAt([this.fitted.x, this.fitted.y], this.fitted.distance);
  }

  private enqueue<T>(job: () => Promise<T>): Promise<T> {
    const result = this.work.then(job);
    this.work = result.catch(() => undefined);
    return result;
  }

  private async draw(frame: MapFrame): Promise<void> {
    const anotherMap = frame.xy !== this.xy;
    this.place(frame);
    const style = pointStyle(this.points.length);
    this.opacity.base = style.opacity;
    // Nothing is awaited up to `draw`: a frame drawn in between would show old points in new colours.
    this.recolour(frame.colours);
    void this.plot.set({
      pointSize: frame.sizeLevels ? frame.sizeFactors.map((factor) => factor * style.size) : [style.size],
      ...(frame.order === this.order ? {} : { pointOrder: frame.order }),
    });
    this.order = frame.order;
    this.updateOpacity();
    const fitted = anotherMap ? this.fit() : null;
    await this.plot.draw(this.points, {
      zDataType: "categorical",
      wDataType: "categorical",
      preventFilterReset: true,
      ...(this.spatialIndex ? { spatialIndex: this.spatialIndex } : {}),
    });
    this.spatialIndex = this.plot.get("spatialIndex") as ArrayBuffer | undefined;
    await fitted;
    this.markSelected();
  }

  /** Writes the frame into the points in place; new coordinates void the spatial index. */
  private place({ xy, colourCodes, sizeLevels }: MapFrame): void {
    const moved = xy !== this.xy;
    const samples = xy.length / 2;
    if (this.points.length !== samples) this.points = Array.from({ length: samples }, () => [0, 0, 0, 0]);
    for (let row = 0; row < samples; row++) {
      const point = this.points[row]!;
      if (moved) {
        // A sample without a place is filtered out, but the spatial index wants a number.
        point[0] = xy[2 * row]! || 0;
        point[1] = xy[2 * row + 1]! || 0;
      }
      point[2] = colourCodes[row]!;
      point[3] = sizeLevels ? sizeLevels[row]! : 0;
    }
    if (moved) {
      this.spatialIndex = undefined;
      this.bounds = boundsOf(xy);
    }
    this.xy = xy;
  }

  private recolour(colours: string[]): void {
    // The texture of colours also holds the background, but is rebuilt only when the colours change: hence the detour.
    void this.plot.set({ backgroundColor: BACKGROUND[this.theme], pointColor: ["#000001", "#000002"] });
    void this.plot.set({ pointColor: colours });
  }

  private markSelected(): void {
    if (this.selected === null) this.plot.deselect({ preventEvent: true });
    else this.plot.select([this.selected], { preventEvent: true });
    this.placeRings();
  }

  /** [x, y] in CSS pixels of the canvas. */
  private locate(row: number): [number, number] | undefined {
    return this.plot.get("isPointsDrawn") ? this.plot.getScreenPosition(row) : undefined;
  }

  private async bringIntoView(row: number): Promise<void> {
    // The panel of the sample may just have opened: its width is taken from the map within two frames.
    await nextFrame();
    await nextFrame();
    const at = this.locate(row);
    const point = this.points[row];
    if (!at || !point || this.isFitted()) return;
    const inside = at[0] >= 0 && at[1] >= 0 && at[0] <= this.host.clientWidth && at[1] <= this.host.clientHeight;
    if (!inside) await this.lookAt([point[0]!, point[1]!], this.distance());
  }

  private async lookAt(target: [number, number], distance: number): Promise<void> {
    await this.plot.zoomToLocation(target, distance);
    this.viewChanged();
  }

  private distance(): number {
    return Number(this.plot.get("cameraDistance"));
  }

  private target(): [number, number] {
    const [x = 0, y = 0] = this.plot.get("cameraTarget") as ArrayLike<number> & Iterable<number>;
    return [x, y];
  }

  private isFitted(): boolean {
    const [x, y] = this.target();
    const off = Math.hypot(x - this.fitted.x, y - this.fitted.y) + Math.abs(this.distance() - this.fitted.distance);
    return off < 2e-3;
  }

  /** Points thin out as one zooms in, so that they may be drawn more opaque. */
  private updateOpacity(): void {
    const zoom = Math.max(1, this.fitted.distance / this.distance());
    const wanted = Math.min(0.95, this.opacity.base * zoom ** 0.5);
    if (Math.abs(wanted - this.opacity.now) < 0.02) return;
    this.opacity.now = wanted;
    void this.plot.set({ opacity: wanted });
  }

  private viewChanged(): void {
    this.updateOpacity();
    this.placeRings();
    if (this.hovered !== null) this.events.hover(this.hovered);
  }

  private hover(row: number | null): void {
    this.hovered = row;
    this.canvas.style.cursor = row === null ? "" : "pointer";
    this.placeRings();
    this.events.hover(row);
  }

  private placeRings(): void {
    this.placeRing(this.hoverRing, this.hovered);
    this.placeRing(this.selectedRing, this.selected !== null && this.isShown(this.selected) ? this.selected : null);
  }

  private placeRing(ring: HTMLElement, row: number | null): void {
    const at = row === null ? undefined : this.locate(row);
    ring.hidden = !at;
    if (at) ring.style.transform = `translate(${at[0]}px, ${at[1]}px)`;
  }

  /** Whether the last marking found the row among the points that no filter hides. */
  private isShown(row: number): boolean {
    return (this.plot.get("selectedPoints") as number[]).includes(row);
  }

  private listen(): void {
    this.plot.subscribe("pointOver", (row) => this.hover(row));
    this.plot.subscribe("pointOut", () => this.hover(null));
    this.plot.subscribe("view", () => this.viewChanged());
    this.plot.subscribe("select", ({ points }) => {
      const row = points[0];
      if (row !== undefined) this.events.select(row);
    });
    this.plot.subscribe("draw", () => this.placeRings());
    window.addEventListener("blur", () => this.hover(null));
    let pressed: [number, number] = [0, 0];
    this.canvas.addEventListener("mousedown", (event) => (pressed = [event.clientX, event.clientY]));
    this.canvas.addEventListener("click", (event) => {
      const dragged = Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]) > CLICK_SLACK;
      if (!dragged && this.hovered === null) this.events.select(null);
    });
    new ResizeObserver(() => {
      if (this.xy && this.isFitted()) void this.fit();
    }).observe(this.host);
  }
}

function nextFrame(): Promise<unknown> {
  return new Promise((resolve) => requestAnimationFrame(resolve));
}
