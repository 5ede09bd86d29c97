/** What the search finds besides samples: everything that can be done, by its name. */

import { formatName } from "../ui/format";
import type { Explorer } from "./explorer";
import { isColourable, isSizeable } from "./view";

export interface Action {
  group: string;
  name: string;
  act: () => void;
  /** Whether it is to be seen on the map. */
  isOfMap?: boolean;
}

/** Most that are listed at once. */
const MOST = 40;

/** All that the page can do now, but for what the caller adds. */
export function actionsOf(explorer: Explorer): Action[] {
  const { run, layout } = explorer;
  const insights = explorer.insights.peek();
  const tags = explorer.tags.all.peek();
  const others = (state: string): string[] => run.states.map(({ name }) => name).filter((name) => name !== state);
  const columns = run.columns.filter(isColourable).flatMap((column): Action[] => {
    const name = formatName(column.label);
    const colour = { colour: column.name, hiddenCategories: [] };
    const actions = [
      { group: "Colour", name: `Colour by ${name}`, act: () => explorer.set(colour) },
      { group: "Filter", name: `Filter by ${name}`, act: () => openColumn(explorer, column.name) },
      {
        group: "Gallery",
        name: `Sort the gallery by ${name}`,
        act: () => explorer.set({ sort: column.name }),
      },
    ];
    if (!isSizeable(column)) return actions;
    return [...actions, { group: "Size", name: `Size by ${name}`, act: () => explorer.set({ size: column.name }) }];
  });
  const ofMap: Action[] = [
    ...(insights?.state === "here"
      ? insights.value.insights.map((insight) => ({
          group: "Insight",
          name: insight.title,
          act: () => explorer.chosen.openInsight(insight),
        }))
      : []),
    ...(tags.state === "here"
      ? tags.value.map(({ name }) => ({
          group: "Tag",
          name: `Select the tag ${name}`,
          act: () => explorer.chosen.openTag(name),
        }))
      : []),
    ...run.states.map(({ name }) => ({
      group: "States",
      name: `Show only ${name}`,
      act: () => explorer.set({ hiddenStates: others(name) }),
    })),
    { group: "States", name: "Show all states", act: () => explorer.set({ hiddenStates: [] }) },
    { group: "Filter", name: "Clear all filters", act: () => explorer.showAll() },
    { group: "Selection", name: "Clear the selection", act: () => explorer.select([], "replace") },
    { group: "Gallery", name: "Save what the gallery shows as CSV", act: () => void explorer.chosen.save("csv") },
    { group: "Gallery", name: "Save what the gallery shows as JSON", act: () => void explorer.chosen.save("json") },
    ...columns,
  ];
  return [
    ...ofMap.map((action) => ({ ...action, isOfMap: true })),
    { group: "View", name: "Map", act: () => explorer.set({ tab: "map" }) },
    { group: "View", name: "Plan", act: () => explorer.set({ tab: "plan" }) },
    { group: "View", name: "Charts", act: () => explorer.set({ tab: "charts" }) },
    { group: "Page", name: "Light", act: () => layout.setScheme("light") },
    { group: "Page", name: "Dark", act: () => layout.setScheme("dark") },
    { group: "Page", name: "Fold or unfold the controls", act: () => layout.openControls(!layout.controls.peek()) },
    { group: "Page", name: "Fold or unfold the gallery", act: () => layout.openGallery(!layout.gallery.peek()) },
    { group: "Page", name: "Take the tour", act: () => (explorer.tip.value = 0) },
  ];
}

/** Unfold a column among the controls, and go there. */
export function openColumn(explorer: Explorer, name: string): void {
  const { opened } = explorer.filtering;
  if (!opened.peek().includes(name)) opened.value = [...opened.peek(), name];
  explorer.layout.openControls(true);
  requestAnimationFrame(() => {
    const node = [...document.querySelectorAll<HTMLElement>("[data-column]")].find(
      (one) => one.dataset.column === name,
    );
    node?.scrollIntoView({ block: "center" });
    node?.focus();
  });
}

/** Those whose name holds every word of a text; names that begin with it first. Pure. */
export function matching(actions: readonly Action[], text: string): Action[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = actions.filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)));
  const begins = ({ name }: Action): boolean => name.toLowerCase().startsWith(words.join(" "));
  return [...found.filter(begins), ...found.filter((action) => !begins(action))].slice(0, MOST);
}
