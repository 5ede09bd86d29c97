/** What hides samples, each with a way out, and how many are left. */

import type { Filter } from "../api/client";
import type { Explorer } from "../state/explorer";
import { formatCount, formatName, formatNumber, formatSamples } from "../ui/format";

export function Filters({ explorer }: { explorer: Explorer }) {
  const { filters, hiddenStates, hiddenCategories } = explorer.view.value;
  const { samples, states, columns } = explorer.run;
  const { count } = explorer.map.visible.value;
  const labels = new Map(columns.map(({ name, label }) => [name, formatName(label)]));
  const shown = states.map(({ name }) => name).filter((name) => !hiddenStates.includes(name));
  const chips: { key: string; words: string; remove: () => void }[] = filters.map((filter) => ({
    key: filter.column,
    words: told(filter, labels),
    remove: () => explorer.setFilter(filter.column, null),
  }));
  if (hiddenStates.length) {
    const words = `state: ${shown.length ? shown.join(", ") : "none"}`;
    chips.unshift({ key: "states", words, remove: () => explorer.set({ hiddenStates: [] }) });
  }
  if (hiddenCategories.length) {
    const words = `legend: ${formatCount(hiddenCategories.length)} hidden`;
    chips.push({ key: "legend", words, remove: () => explorer.set({ hiddenCategories: [] }) });
  }
  return (
    <section class="filters" aria-label="Filters" data-testid="filters">
      {chips.map(({ key, words, remove }) => (
        <button key={key} type="button" class="filter" aria-label={`Remove: ${words}`} onClick={remove}>
          {words} {"\u00d7"}
        </button>
      ))}
      <button
        type="button"
        class="filter add"
        data-testid="add-filter"
        onClick={() => (explorer.searching.value = "Filter by ")}
      >
        + Filter
      </button>
      <output data-testid="status" aria-live="polite">
        {explorer.map.painted.value &&
          (count === samples ? formatSamples(samples) : `${formatCount(count)} of ${formatSamples(samples)} shown`)}
      </output>
      {chips.length > 0 && (
        <button type="button" class="link" onClick={() => explorer.showAll()}>
          Clear
        </button>
      )}
    </section>
  );
}

/** "loss: 0.5 to 2", "class: cat, dog". */
export function told({ column, keep, low, high }: Filter, labels: ReadonlyMap<string, string>): string {
  const label = labels.get(column) ?? column;
  if (keep) return `${label}: ${keep.map((value) => value ?? "absent").join(", ")}`;
  if (low === null || low === undefined) return `${label}: at most ${formatNumber(high!)}`;
  if (high === null || high === undefined) return `${label}: at least ${formatNumber(low)}`;
  return `${label}: ${formatNumber(low)} to ${formatNumber(high)}`;
}
