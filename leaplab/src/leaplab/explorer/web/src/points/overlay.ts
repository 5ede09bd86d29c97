/** What lies over the points: rings around some, names, outlines, and what a person draws. */

import { type Framing, pixelSize, toScreen, type Viewport } from "./camera";
import { type Label, uncovered } from "./labels";
import type { Outline } from "./outlines";

const SVG = "http://www.w3.org/2000/svg";

export class Overlay {
  private readonly rings = { selected: ring("ring selected"), hovered: ring("ring") };
  private readonly names = document.createElement("div");
  private readonly region = document.createElementNS(SVG, "polygon");
  private readonly outlines = document.createElementNS(SVG, "g");
  /** The names of the most points first, with their width and height, which are measured once. */
  private labels: { label: Label; node: HTMLElement; size: [number, number] }[] = [];

  constructor(host: HTMLElement) {
    this.names.className = "map-names";
    this.names.setAttribute("aria-hidden", "true"); // the legend says them
    host.append(
      drawing("map-outlines", this.outlines),
      this.names,
      drawing("drawn-region", this.region),
      this.rings.selected,
      this.rings.hovered,
    );
  }

  /** Writes names in the place of the former ones. */
  setLabels(labels: readonly Label[]): void {
    this.labels = [...labels]
      .sort((a, b) => b.count - a.count)
      .map((label) => {
        const node = document.createElement("span");
        node.textContent = label.text;
        return { label, node, size: [0, 0] };
      });
    this.names.replaceChildren(...this.labels.map(({ node }) => node));
    for (const each of this.labels) each.size = [each.node.offsetWidth, each.node.offsetHeight];
  }

  /** Draws lines around points in the place of the former ones. */
  setOutlines(outlines: readonly Outline[]): void {
    this.outlines.replaceChildren(
      ...outlines.map(({ text, segments }) => {
        const path = document.createElementNS(SVG, "path");
        const parts: string[] = [];
        for (let at = 0; at < segments.length; at += 4) {
          const [x0, y0, x1, y1] = Array.from(segments.subarray(at, at + 4), (one) => one.toFixed(4));
          parts.push(`M${x0} ${y0}L${x1} ${y1}`);
        }
        path.setAttribute("d", parts.join(""));
        path.dataset.of = text;
        return path;
      }),
    );
  }

  /** Corners x0 y0 x1 y1 ... in CSS pixels of a region that is being drawn; null: none is. */
  setRegion(corners: readonly number[] | null): void {
    this.region.setAttribute("points", corners?.join(" ") ?? "");
  }

  /** Puts a ring around a place in CSS pixels; none takes it away. */
  setRing(which: "selected" | "hovered", at: readonly [number, number] | undefined): void {
    const node = this.rings[which];
    node.hidden = !at;
    if (at) node.style.transform = `translate(${at[0]}px, ${at[1]}px)`;
  }

  /** Puts names and outlines where the camera sees them. */
  place(camera: Framing, view: Viewport): void {
    const boxes = this.labels.map(({ label, node, size: [width, height] }) => {
      const [left, top] = toScreen(camera, view, label.x, label.y);
      node.style.transform = `translate(${left}px, ${top}px) translate(-50%, -50%)`;
      return [left - width / 2, top - height / 2, width, height] as const;
    });
    uncovered(boxes).forEach((isFree, place) => {
      this.labels[place]!.node.hidden = !isFree;
    });
    const scale = 1 / pixelSize(camera, view);
    const [left, top] = toScreen(camera, view, 0, 0);
    this.outlines.setAttribute("transform", `matrix(${scale} 0 0 ${-scale} ${left} ${top})`);
  }
}

function drawing(className: string, content: SVGElement): SVGElement {
  const node = document.createElementNS(SVG, "svg");
  node.setAttribute("class", className);
  node.setAttribute("aria-hidden", "true");
  node.append(content);
  return node;
}

function ring(className: string): HTMLElement {
  const node = document.createElement("div");
  node.className = className;
  node.hidden = true;
  return node;
}
