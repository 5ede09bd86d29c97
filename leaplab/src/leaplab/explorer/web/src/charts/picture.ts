/** A drawn chart as a file of its own. */

import type { Theme } from "../points/scales";
import { cut, FONT, INK } from "./room";

const SVG = "http://www.w3.org/2000/svg";
/** Pixels of a picture a pixel of the page. */
const FINE = 2;
const HEAD = 30;

/** The chart's SVG with its title, without what belongs to the page. */
export function svgOf(drawn: SVGSVGElement, title: string, theme: Theme): string {
  const [width, height] = [Number(drawn.getAttribute("width")), Number(drawn.getAttribute("height"))];
  const copy = drawn.cloneNode(true) as SVGSVGElement;
  for (const each of [copy, ...copy.querySelectorAll("*")]) {
    for (const name of ["tabindex", "role", "aria-label", "aria-pressed", "data-testid"]) {
      if (name !== "data-testid" || each.getAttribute(name) !== "mark") each.removeAttribute(name);
    }
  }
  const whole = document.createElementNS(SVG, "svg");
  const set = (to: Element, values: Record<string, string | number>): void => {
    for (const [name, value] of Object.entries(values)) to.setAttribute(name, String(value));
  };
  set(whole, {
    xmlns: SVG,
    width,
    height: height + HEAD,
    viewBox: `0 0 ${width} ${height + HEAD}`,
    "font-family": FONT,
  });
  const ground = document.createElementNS(SVG, "rect");
  set(ground, { width: "100%", height: "100%", fill: INK[theme].background });
  const head = document.createElementNS(SVG, "text");
  set(head, { x: 8, y: 19, "font-size": 13, "font-weight": 600, fill: INK[theme].text });
  head.textContent = cut(title, width - 16, 13);
  const moved = document.createElementNS(SVG, "g");
  set(moved, { transform: `translate(0 ${HEAD})` });
  moved.append(...copy.childNodes);
  whole.append(ground, head, moved);
  return new XMLSerializer().serializeToString(whole);
}

/** The same as points. */
export async function pngOf(svg: string): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.width * FINE, image.height * FINE];
  canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done, failed) =>
    canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error("no picture"))), "image/png"),
  );
}
