/** Which visualizers' pictures lie over one another. Pure. */

import type { Visual } from "../../api/client";

export interface Box {
  label: string;
  confidence: number | null;
  /** Corners in shares of the image's sides. */
  outline: [number, number][];
}

/** What a picture with an image in it says beside its pixels. */
export interface Placed {
  /** Width and height of the image itself. */
  size: [number, number];
  /** Pixels of the picture that show it, from the upper left corner on. */
  area: [number, number];
  legend?: { text: string; colour: string | null }[];
  notes?: string[];
  boxes?: Box[];
}

export interface Layer {
  visual: Visual;
  placed: Placed;
}

export interface Arranged {
  /** Pictures with an image, in their order: those of one size are shown in one frame. */
  layers: Layer[];
  /** Everything else: bars, texts, graphs, and what failed. */
  others: Visual[];
}

export function arrange(visuals: Visual[]): Arranged {
  const layers: Layer[] = [];
  const others: Visual[] = [];
  for (const visual of visuals) {
    const placed = visual.data as Placed | null | undefined;
    if (visual.png && placed?.size && placed.area) layers.push({ visual, placed });
    else others.push(visual);
  }
  return { layers, others };
}

/** Whether something that was made for one size can lie over an image of another: their sides have one ratio. */
export function fits(size: readonly number[], other: readonly number[]): boolean {
  const [a, b] = [size[0]! / size[1]!, other[0]! / other[1]!];
  return Math.abs(a / b - 1) < 0.01;
}

/** CSS pixels of a frame for an image within limits: small ones grow by whole factors, others as far as they fit. */
export function frameOf(size: readonly number[], most: readonly number[]): [number, number] {
  const room = Math.min(most[0]! / size[0]!, most[1]! / size[1]!);
  const factor = room >= 2 ? Math.floor(room) : room;
  return [Math.round(size[0]! * factor), Math.round(size[1]! * factor)];
}
