/** The panel of the selected sample: what it looks like, how the model did, what is known of it. */

import {
  ApiError,
  getSample,
  getVisuals,
  type BarData,
  type Column,
  type DrawnVisual,
  type InstanceColumn,
  type Run,
  type Sample,
  type Visual,
} from "./api";
import { renderBars } from "./bars";
import { better } from "./better";
import { h } from "./dom";
import { formatName, formatValue } from "./format";
import { renderInstances } from "./instances";
import { groupName } from "./sidebar";

/** Pixels a panel's picture may take in width; small pictures grow by whole factors up to about this height. */
const PICTURE_WIDTH = 320;
const SMALL_PICTURE = 224;

export class DetailsPanel {
  private readonly columns: Map<string, Column>;
  private readonly instanceColumns: InstanceColumn[];
  private request: AbortController | null = null;
  private row: number | null = null;

  constructor(
    private readonly host: HTMLElement,
    run: Run,
    private readonly close: () => void,
  ) {
    this.columns = new Map(run.columns.map((column) => [column.name, column]));
    this.instanceColumns = run.instance_columns;
  }

  /** Shows a row, or closes the panel. Details come at once, visualizers when they are drawn. */
  show(row: number | null): void {
    if (row === this.row) return;
    this.row = row;
    this.request?.abort();
    this.host.hidden = row === null;
    if (row === null) {
      this.host.replaceChildren();
      return;
    }
    const { signal } = (this.request = new AbortController());
    const head = h("div", {}, this.head(`Sample ${row}`, null));
    const pictures = h("div", { class: "visuals" });
    const facts = h("div", {});
    this.host.replaceChildren(head, pictures, facts);
    this.host.scrollTop = 0;

    const sample = getSample(row, signal);
    void this.fill(facts, signal, "Loading the sample\u2026", sample, (answer) => {
      head.replaceChildren(this.head(answer.sample_id, answer.state));
      return this.facts(answer);
    });
    const visuals = getVisuals(row, signal);
    void this.fill(pictures, signal, "Drawing the visualizers\u2026", visuals, (answer) => answer.map(renderVisual));
    void this.predictions(facts, signal, sample, visuals);
  }

  /** Shows a request's progress, then its result or its error with a retry. */
  private async fill<T>(
    host: HTMLElement,
    signal: AbortSignal,
    waiting: string,
    answer: Promise<T>,
    render: (answer: T) => HTMLElement[],
  ): Promise<void> {
    host.replaceChildren(h("p", { class: "waiting", role: "status" }, h("span", { class: "spinner" }), waiting));
    try {
      const value = await answer;
      if (!signal.aborted) host.replaceChildren(...render(value));
    } catch (error) {
      if (signal.aborted) return;
      const retry = h("button", { type: "button", class: "button" }, "Retry");
      retry.addEventListener("click", () => {
        const row = this.row;
        this.row = null;
        this.show(row);
      });
      host.replaceChildren(h("div", { class: "panel-error", role: "alert" }, h("p", {}, sentence(error)), retry));
    }
  }

  /** Bars of the raw predictions, for integrations that draw none themselves. */
  private async predictions(
    host: HTMLElement,
    signal: AbortSignal,
    sample: Promise<Sample>,
    visuals: Promise<Visual[]>,
  ): Promise<void> {
    const [known, drawn] = await Promise.allSettled([sample, visuals]);
    if (signal.aborted || known.status === "rejected") return;
    const hasBars = drawn.status === "fulfilled" && drawn.value.some((visual) => isBars(visual));
    if (hasBars) return;
    const groups = known.value.predictions.map(({ name, labels, values }) =>
      group(`Prediction: ${formatName(name)}`, renderBars(name, { labels, values })),
    );
    host.prepend(...groups);
  }

  private head(title: string, state: string | null): HTMLElement {
    const close = h(
      "button",
      { type: "button", class: "close", "aria-label": "Close (Esc)", title: "Close (Esc)" },
      "\u00d7",
    );
    close.addEventListener("click", this.close);
    return h(
      "header",
      { class: "details-head" },
      h("h2", { "data-testid": "details-title", title }, title),
      state && h("span", { class: "badge", "data-testid": "details-state" }, state),
      close,
    );
  }

  private facts(sample: Sample): HTMLElement[] {
    const groups = new Map<string, [Column | undefined, string, unknown][]>();
    for (const { column: name, value } of sample.values) {
      const column = this.columns.get(name);
      const of = column?.group ?? name.split(".")[0]!;
      if (of === "sample") continue;
      const title = of === "loss" || of === "metric" ? "Loss and metrics" : groupName(of);
      const rows = groups.get(title) ?? [];
      rows.push([column, column?.label ?? name, value]);
      groups.set(title, rows);
    }
    const titles = [...groups.keys()].sort((a, b) => rank(a) - rank(b));
    const sections = titles.map((title) =>
      group(
        title,
        h(
          "table",
          { class: "facts" },
          h("tbody", {}, ...groups.get(title)!.map(([column, label, value]) => factRow(column, label, value))),
        ),
      ),
    );
    if (sample.instances.length) {
      sections.push(group("Instances", renderInstances(sample.instances, this.instanceColumns)));
    }
    return sections;
  }
}

function rank(title: string): number {
  const order = ["Loss and metrics", "Metadata"].indexOf(title);
  return order === -1 ? 2 : order;
}

function factRow(column: Column | undefined, label: string, value: unknown): HTMLElement {
  const text = formatValue(value);
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, formatName(label), better(column?.direction)),
    h(
      "td",
      { class: typeof value === "number" ? "number" : null, title: typeof value === "number" ? String(value) : text },
      text,
    ),
  );
}

function group(title: string, content: HTMLElement): HTMLElement {
  return h("section", { class: "panel-group" }, h("h3", {}, title), content);
}

function renderVisual(visual: Visual): HTMLElement {
  const figure = h("figure", { class: "visual", "data-testid": `visual-${visual.name}` });
  figure.append(h("figcaption", {}, formatName(visual.name)));
  if ("error" in visual) figure.append(h("p", { class: "visual-error" }, visual.error));
  else if (isBars(visual)) figure.append(renderBars(visual.name, visual.data));
  else figure.append(...moving(visual), picture(visual.name, visual.png, visual.width, visual.height));
  return figure;
}

function isBars(visual: Visual): visual is DrawnVisual & { data: BarData } {
  return "png" in visual && visual.type === "HorizontalBar" && Boolean(visual.data);
}

/** A video's animation and an audio's sound, which its picture cannot show. */
function moving(visual: DrawnVisual): HTMLElement[] {
  const { gif, wav } = (visual.data ?? {}) as unknown as { gif?: string; wav?: string };
  const name = formatName(visual.name);
  const parts: HTMLElement[] = [];
  if (gif && !matchMedia("(prefers-reduced-motion: reduce)").matches) {
    parts.push(h("div", { class: "picture-frame" }, h("img", { src: gif, alt: `${name}, moving`, class: "picture" })));
  }
  if (wav) parts.push(h("audio", { src: wav, controls: true, preload: "metadata", "aria-label": name, class: "sound" }));
  return parts;
}

function picture(name: string, png: string, width: number, height: number): HTMLElement {
  const factor = Math.floor(Math.min(PICTURE_WIDTH / width, SMALL_PICTURE / height));
  const small = factor >= 2;
  const image = h("img", { src: png, alt: formatName(name), class: small ? "picture pixelated" : "picture" });
  image.width = small ? width * factor : width;
  image.height = small ? height * factor : height;
  if (small) return h("div", { class: "picture-frame" }, image);
  const open = h(
    "button",
    { type: "button", class: "picture-frame enlarge", "aria-label": `Enlarge ${formatName(name)}` },
    image,
  );
  open.addEventListener("click", () => enlarge(name, png));
  return open;
}

function enlarge(name: string, png: string): void {
  const dialog = h(
    "dialog",
    { class: "lightbox", "aria-label": formatName(name) },
    h("img", { src: png, alt: formatName(name) }),
  );
  dialog.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

function sentence(error: unknown): string {
  return error instanceof ApiError ? error.message : `The page failed to show the sample (${String(error)}).`;
}
