/** Every column with its histogram, by which samples are filtered. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Column, Filter, Histogram, Summary } from "../api/client";
import { Brush, Sparkline } from "../charts/histogram";
import type { Explorer } from "../state/explorer";
import { isColourable } from "../state/view";
import { ABSENT, formatCount, formatName, formatRounded } from "../ui/format";
import { NumberField } from "../ui/number-field";

/** Categories that are listed; of more, the most frequent. */
const MOST = 12;

export function Columns({ explorer }: { explorer: Explorer }) {
  const opened = explorer.filtering.opened.value;
  const histograms = explorer.filtering.histograms.value;
  const toggle = (name: string): void => {
    explorer.filtering.opened.value = opened.includes(name) ? opened.filter((one) => one !== name) : [...opened, name];
  };
  return (
    <ul class="columns">
      {explorer.run.columns.filter(isColourable).map((column) => (
        <li key={column.name}>
          <button
            type="button"
            class="column-name"
            title={column.name}
            data-testid={`column-${column.name}`}
            data-column={column.name}
            aria-expanded={opened.includes(column.name)}
            onClick={() => toggle(column.name)}
          >
            <span class="entry-name">{formatName(column.label)}</span>
            {filterOf(explorer, column) && <span class="badge">filtered</span>}
            {histograms.has(column.name) && <Sparkline counts={histograms.get(column.name)!.counts} />}
          </button>
          {opened.includes(column.name) && <Opened explorer={explorer} column={column} />}
        </li>
      ))}
    </ul>
  );
}

function filterOf(explorer: Explorer, column: Column): Filter | undefined {
  return explorer.view.value.filters.find((filter) => filter.column === column.name);
}

function Opened({ explorer, column }: { explorer: Explorer; column: Column }) {
  const histogram = explorer.filtering.histograms.value.get(column.name);
  if (!histogram) return <p class="scale-note">{"Counting\u2026"}</p>;
  return column.kind === "categorical" ? (
    <Categories explorer={explorer} column={column} histogram={histogram} />
  ) : (
    <Numbers explorer={explorer} column={column} histogram={histogram} />
  );
}

interface Props {
  explorer: Explorer;
  column: Column;
  histogram: Histogram;
}

/** Ticked are those that are kept; without a filter none is, which keeps all. */
function Categories({ explorer, column, histogram }: Props) {
  const names = column.categories ?? [];
  const keep = filterOf(explorer, column)?.keep ?? [];
  const entries: { value: string | null; count: number }[] = names.map((value, code) => ({
    value: value as string | null,
    count: histogram.counts[code] ?? 0,
  }));
  if (entries.length > MOST) entries.sort((a, b) => b.count - a.count);
  const listed = entries.slice(0, MOST);
  if (histogram.absent > 0 || keep.includes(null)) listed.push({ value: null, count: histogram.absent });
  const most = Math.max(1, ...listed.map(({ count }) => count));
  const toggled = (value: string | null): void => {
    const next = keep.includes(value) ? keep.filter((one) => one !== value) : [...keep, value];
    explorer.setFilter(column.name, next.length ? { keep: next } : null);
  };
  return (
    <div class="column-values">
      {listed.map(({ value, count }) => (
        <label key={value ?? "absent"} class="column-value">
          <input type="checkbox" checked={keep.includes(value)} onChange={() => toggled(value)} />
          <span class="entry-name">{value ?? "absent"}</span>
          <span class="entry-count">{formatCount(count)}</span>
          <span class="column-bar" style={{ width: `${(100 * count) / most}%` }} />
        </label>
      ))}
      {entries.length > MOST && (
        <p class="scale-note">{`${formatCount(entries.length - MOST)} more with fewer samples`}</p>
      )}
    </div>
  );
}

function Numbers({ explorer, column, histogram }: Props) {
  const summary = useSignal<Summary | null>(null);
  useEffect(() => {
    void explorer.summary(column.name).then((value) => (summary.value = value));
  }, [column.name]);
  const filter = filterOf(explorer, column);
  const scale = summary.value?.scale;
  const choose = (range: { low: number | null; high: number | null }): void => {
    explorer.setFilter(column.name, range.low === null && range.high === null ? null : range);
  };
  return (
    <div class="column-values">
      {scale && (
        <Brush
          counts={histogram.counts}
          scale={scale}
          low={filter?.low ?? null}
          high={filter?.high ?? null}
          label={formatName(column.label)}
          choose={choose}
        />
      )}
      <div class="column-range">
        {(["low", "high"] as const).map((end) => (
          <NumberField
            key={end}
            label={`${end === "low" ? "Least" : "Greatest"} ${formatName(column.label)}`}
            testId={`${end}-${column.name}`}
            placeholder={scale ? formatRounded(end === "low" ? scale.min : scale.max) : ABSENT}
            value={filter?.[end]}
            change={(value) => choose({ low: filter?.low ?? null, high: filter?.high ?? null, [end]: value })}
          />
        ))}
      </div>
    </div>
  );
}
