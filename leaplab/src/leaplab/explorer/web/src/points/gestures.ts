/** Pointer and wheel on the map: move, zoom, point at, click, and draw around points. */

export type Tool = "move" | "lasso" | "box";

/** What a drawn region does to the selection. */
export type Joining = "replace" | "add" | "remove";

export interface GestureEvents {
  /** By CSS pixels. */
  pan(right: number, down: number): void;
  zoom(factor: number, left: number, top: number): void;
  /** Null: the pointer has left, or is busy. */
  point(at: [left: number, top: number] | null): void;
  click(left: number, top: number): void;
  /** Corners x0 y0 x1 y1 ... in CSS pixels while a region is drawn; null when that ends. */
  outline(corners: number[] | null): void;
  enclose(corners: number[], how: Joining): void;
}

/** Movement in CSS pixels up to which a press is a click and no drag. */
const CLICK_SLACK = 4;
/** Of the wheel, to twice as near. */
const PIXELS_TO_DOUBLE = 240;
const LINE = 16;

export class Gestures {
  tool: Tool = "move";
  private readonly pressed = new Map<number, [number, number]>();
  private start: [number, number] | null = null;
  private dragged = false;
  private corners: number[] | null = null;

  constructor(
    private readonly host: HTMLElement,
    private readonly events: GestureEvents,
  ) {
    host.addEventListener("pointerdown", (event) => this.down(event));
    host.addEventListener("pointermove", (event) => this.move(event));
    host.addEventListener("pointerup", (event) => this.up(event));
    host.addEventListener("pointercancel", (event) => this.cancel(event));
    host.addEventListener("pointerleave", () => this.events.point(null));
    host.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE : 1);
        this.events.zoom(2 ** (-pixels / PIXELS_TO_DOUBLE), ...this.at(event));
      },
      { passive: false },
    );
  }

  private at(event: MouseEvent): [number, number] {
    const box = this.host.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  private down(event: PointerEvent): void {
    if (event.button !== 0 || event.target instanceof HTMLButtonElement) return;
    const at = this.at(event);
    this.pressed.set(event.pointerId, at);
    if (this.pressed.size > 1) {
      this.endOutline(); // two fingers zoom
      return;
    }
    this.start = at;
    this.dragged = false;
    if (this.drawing(event)) this.corners = [...at];
  }

  /** Shift and a drag draw whatever the tool is. */
  private drawing(event: PointerEvent): boolean {
    return this.tool !== "move" || event.shiftKey;
  }

  private move(event: PointerEvent): void {
    const at = this.at(event);
    const before = this.pressed.get(event.pointerId);
    if (!before || !this.start) {
      if (event.pointerType !== "touch") this.events.point(at);
      return;
    }
    if (this.pressed.size === 2) this.pinch(event.pointerId, before, at);
    this.pressed.set(event.pointerId, at);
    if (this.pressed.size > 1) return;
    if (!this.dragged) {
      if (Math.hypot(at[0] - this.start[0], at[1] - this.start[1]) <= CLICK_SLACK) return;
      this.dragged = true;
      // Only now: a capture would keep the click from what lies above the map.
      this.host.setPointerCapture(event.pointerId);
      this.events.point(null);
    }
    if (this.corners) this.extend(at);
    else this.events.pan(at[0] - before[0], at[1] - before[1]);
  }

  private extend(at: [number, number]): void {
    const [x, y] = this.start!;
    if (this.tool === "box") this.corners = [x, y, at[0], y, at[0], at[1], x, at[1]];
    else this.corners!.push(...at);
    this.events.outline(this.corners);
  }

  private pinch(moved: number, before: [number, number], at: [number, number]): void {
    const other = [...this.pressed].find(([id]) => id !== moved)![1];
    const spread = (from: [number, number]): number => Math.max(1, Math.hypot(from[0] - other[0], from[1] - other[1]));
    this.dragged = true;
    this.events.zoom(spread(at) / spread(before), (at[0] + other[0]) / 2, (at[1] + other[1]) / 2);
  }

  private up(event: PointerEvent): void {
    if (!this.pressed.delete(event.pointerId) || this.pressed.size > 0) return;
    const { corners } = this;
    const at = this.at(event);
    if (!this.dragged && this.start) this.events.click(...at);
    else if (corners) this.events.enclose(corners, event.altKey ? "remove" : event.shiftKey ? "add" : "replace");
    this.start = null;
    this.endOutline();
  }

  private cancel(event: PointerEvent): void {
    this.pressed.delete(event.pointerId);
    this.start = null;
    this.endOutline();
  }

  private endOutline(): void {
    if (this.corners) this.events.outline(null);
    this.corners = null;
  }
}
