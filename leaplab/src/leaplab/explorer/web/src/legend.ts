/** What the colours and sizes on the map stand for. */

import { h } from "./dom";
import { formatCount, formatName, formatNumber } from "./format";
import type { Painted } from "./population";
import { colourPosition, MISSING, type ColourEncoding, type Range } from "./scales";

export interface LegendEvents {
  /** The keys of the entries to hide. */
  hide(keys: string[]): void;
}

/** Fills the legend anew; it stays folded if it was, and the focus stays on the entry that had it. */
export function renderLegend(
  host: HTMLElement,
  painted: Painted,
  counts: readonly number[],
  hidden: readonly string[],
  events: LegendEvents,
): void {
  const focused = host.contains(document.activeElement)
    ? (document.activeElement as HTMLElement).dataset["key"]
    : undefined;
  const open = host.querySelector("details")?.open ?? true;
  const { colour, size } = painted;
  const title = colour.values ? formatName(colour.values.column.label) : null;
  const parts: HTMLElement[] = [];
  if (colour.encoding.kind === "categorical") {
    parts.push(categories(colour.encoding, colour.colours, counts, hidden, events));
  }
  if (colour.encoding.kind === "continuous") parts.push(gradient(colour.encoding, colour.colours));
  const sizeTitle = size && `Size: ${formatName(size.values.column.label)}`;
  if (size) parts.push(h("div", { class: "size-key" }, title !== null && h("h2", {}, sizeTitle), sizeRow(size.range)));
  const summary = h("summary", { "data-key": "*legend" }, h("h2", {}, title ?? sizeTitle));
  host.replaceChildren(h("details", { open }, summary, ...parts));
  host.hidden = parts.length === 0;
  if (focused !== undefined) host.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

function showAll(events: LegendEvents): HTMLElement {
  const button = h("button", { type: "button", class: "link", "data-key": "*all" }, "Show all");
  button.addEventListener("click", () => events.hide([]));
  return button;
}

function categories(
  { entries }: Extract<ColourEncoding, { kind: "categorical" }>,
  colours: string[],
  counts: readonly number[],
  hidden: readonly string[],
  events: LegendEvents,
): HTMLElement {
  const items = entries.map(({ key, label }, slot) => {
    const shown = !hidden.includes(key);
    const swatch = h("span", { class: key === MISSING ? "swatch absent" : "swatch" });
    swatch.style.setProperty("--colour", colours[slot]!);
    const button = h(
      "button",
      {
        type: "button",
        class: "entry",
        "aria-pressed": String(shown),
        "data-key": key,
        title: "Click to show or hide; double-click to show only this one",
      },
      swatch,
      h("span", { class: "entry-name" }, label),
      h("span", { class: "entry-count" }, formatCount(counts[slot] ?? 0)),
    );
    button.addEventListener("click", (event) => {
      if (event.detail === 2) events.hide(entries.map((entry) => entry.key).filter((other) => other !== key));
      else events.hide(shown ? [...hidden, key] : hidden.filter((other) => other !== key));
    });
    return h("li", {}, button);
  });
  return h("div", {}, h("ul", { class: "entries" }, ...items), hidden.length > 0 && showAll(events));
}

function gradient(encoding: Extract<ColourEncoding, { kind: "continuous" }>, colours: string[]): HTMLElement {
  const stops = Array.from({ length: 17 }, (_, stop) => colours[Math.round((stop * 255) / 16)]);
  const bar = h("div", { class: "gradient" });
  bar.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
  const mark = h("span", { class: "median-mark" });
  mark.style.left = `${colourPosition(encoding.median, encoding) * 100}%`;
  bar.append(mark);
  const absent = h("span", { class: "swatch absent" });
  absent.style.setProperty("--colour", colours.at(-1)!);
  return h(
    "div",
    { class: "scale" },
    bar,
    h(
      "div",
      { class: "ticks" },
      h("span", {}, (encoding.min < encoding.low ? "\u2264 " : "") + formatNumber(rounded(encoding.low))),
      h("span", {}, (encoding.max > encoding.high ? "\u2265 " : "") + formatNumber(rounded(encoding.high))),
    ),
    h(
      "p",
      { class: "scale-note" },
      `median ${formatNumber(rounded(encoding.median))}${encoding.crowd ? ", cube-root scale" : ""}`,
    ),
    encoding.absent > 0 &&
      h(
        "div",
        { class: "entry still" },
        absent,
        h("span", { class: "entry-name" }, "absent"),
        h("span", { class: "entry-count" }, formatCount(encoding.absent)),
      ),
  );
}

function sizeRow(range: Range): HTMLElement {
  const dot = (diameter: number): HTMLElement => {
    const node = h("span", { class: "size-dot" });
    node.style.width = node.style.height = `${diameter}px`;
    return node;
  };
  return h(
    "div",
    { class: "size-row" },
    dot(4),
    h("span", {}, formatNumber(rounded(range.low))),
    h("span", { class: "size-line" }),
    dot(11),
    h("span", {}, formatNumber(rounded(range.high))),
  );
}

/** Three significant digits: a tick is read, not copied. */
function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
