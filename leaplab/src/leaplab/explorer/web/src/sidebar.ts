/** The controls: colour, size, map, states, and the way to a sample by its id. */

import type { Column, Run } from "./api";
import { h } from "./dom";
import { formatCount, formatName } from "./format";
import { isColourable, isSizeable, type Store, type View } from "./state";

const NONE = "none";

export interface SidebarEvents {
  /** Resolves to a sentence where nothing was found, else to null. */
  find(text: string): Promise<string | null>;
}

/** Builds the controls and keeps them in step with the store. */
export function buildSidebar(host: HTMLElement, run: Run, store: Store<View>, events: SidebarEvents): void {
  const colour = columnSelect("colour-select", run.columns.filter(isColourable), "One colour");
  const size = columnSelect("size-select", run.columns.filter(isSizeable), "All the same");
  const space = plainSelect(
    "space-select",
    run.latent_spaces.length === 0
      ? [["", "none"]]
      : run.latent_spaces.map(({ name, width }) => [name, `${formatName(name)} (${width} dimensions)`]),
  );
  const projection = plainSelect(
    "projection-select",
    run.projections.map((name) => [name, projectionName(name)]),
  );
  const states = stateChips(run, store);

  const chosen = (select: HTMLSelectElement): string | null => (select.value === NONE ? null : select.value);
  colour.addEventListener("change", () => store.set({ colour: chosen(colour), hiddenCategories: [] }));
  size.addEventListener("change", () => store.set({ size: chosen(size) }));
  space.addEventListener("change", () => store.set({ space: space.value }));
  projection.addEventListener("change", () => store.set({ projection: projection.value }));

  host.append(
    section("Points", field("Colour by", colour), field("Size by", size)),
    section("Map", field("Latent space", space), field("Projection", projection)),
    section("States", states.element),
    section("Find", findForm(events)),
    hints(),
  );

  const sync = (view: View): void => {
    colour.value = view.colour ?? NONE;
    size.value = view.size ?? NONE;
    space.value = view.space;
    projection.value = view.projection;
    states.sync(view);
  };
  sync(store.get());
  store.subscribe(sync);
}

/** Names that the field writes otherwise than the API does. */
function projectionName(name: string): string {
  const known: Record<string, string> = {
    pacmap: "PaCMAP",
    localmap: "LocalMAP",
    pca: "PCA",
    umap: "UMAP",
    tsne: "t-SNE",
  };
  return known[name.toLowerCase()] ?? name;
}

function section(title: string, ...content: HTMLElement[]): HTMLElement {
  return h("section", { class: "control-group" }, h("h2", {}, title), ...content);
}

function field(label: string, control: HTMLElement): HTMLElement {
  return h("div", { class: "field" }, h("label", { for: control.id }, label), control);
}

function plainSelect(id: string, options: [string, string][]): HTMLSelectElement {
  return h("select", { id, "data-testid": id }, ...options.map(([value, text]) => h("option", { value }, text)));
}

function columnSelect(id: string, columns: Column[], none: string): HTMLSelectElement {
  const groups = grouped(columns);
  return h(
    "select",
    { id, "data-testid": id },
    h("option", { value: NONE }, none),
    ...Array.from(groups, ([group, members]) =>
      h(
        "optgroup",
        { label: groupName(group) },
        ...members.map((column) => h("option", { value: column.name }, formatName(column.label))),
      ),
    ),
  );
}

function grouped(columns: Column[]): Map<string, Column[]> {
  const groups = new Map<string, Column[]>();
  for (const column of columns) groups.set(column.group, [...(groups.get(column.group) ?? []), column]);
  return groups;
}

/** "metadata" -> "Metadata". */
export function groupName(group: string): string {
  const name = formatName(group);
  return name.charAt(0).toUpperCase() + name.slice(1);
}

function stateChips(run: Run, store: Store<View>): { element: HTMLElement; sync: (view: View) => void } {
  const chips = run.states.map(({ name, count }) => {
    const chip = h(
      "button",
      { type: "button", class: "chip", "data-testid": `state-${name}` },
      h("span", { class: "chip-mark", "aria-hidden": "true" }),
      h("span", { class: "chip-name" }, name),
      h("span", { class: "chip-count" }, formatCount(count)),
    );
    chip.addEventListener("click", () => {
      const hidden = store.get().hiddenStates;
      const next = hidden.includes(name) ? hidden.filter((one) => one !== name) : [...hidden, name];
      store.set({ hiddenStates: next });
    });
    return { name, chip };
  });
  return {
    element: h(
      "div",
      { class: "chips", role: "group", "aria-label": "States shown" },
      ...chips.map(({ chip }) => chip),
    ),
    sync: (view) => {
      for (const { name, chip } of chips) chip.setAttribute("aria-pressed", String(!view.hiddenStates.includes(name)));
    },
  };
}

function findForm(events: SidebarEvents): HTMLElement {
  const input = h("input", {
    id: "find",
    type: "search",
    autocomplete: "off",
    spellcheck: "false",
    placeholder: "Sample id",
    "data-testid": "find",
    "aria-describedby": "find-answer",
  });
  const answer = h("p", { id: "find-answer", class: "field-note", role: "status" });
  const form = h("form", { class: "field" }, h("label", { for: "find" }, "Go to a sample"), input, answer);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (text) void events.find(text).then((sentence) => (answer.textContent = sentence ?? ""));
  });
  input.addEventListener("input", () => (answer.textContent = ""));
  return form;
}

function hints(): HTMLElement {
  const hint = (keys: string, what: string): HTMLElement => h("li", {}, h("kbd", {}, keys), h("span", {}, what));
  return h(
    "ul",
    { class: "hints", "aria-label": "How to move on the map" },
    hint("Drag", "move"),
    hint("Scroll", "zoom"),
    hint("Shift-drag", "frame"),
    hint("Click", "open a sample"),
    hint("Esc", "close it"),
  );
}
