/** What a chart asks for, written in a form. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { BoardChart } from "../../api/charts";
import type { Column, Points } from "../../api/client";
import { AGGREGATES, KINDS, titleOf } from "../../state/board";
import type { Explorer } from "../../state/explorer";
import { tableOf } from "../../state/painting";
import { NumberField } from "../../ui/number-field";
import { Choice, ColumnChoice } from "../plan/asking";

interface FormProps {
  explorer: Explorer;
  chart: BoardChart;
  isNew: boolean;
  close: () => void;
  keep: (chart: BoardChart) => void;
}

const MOST_BINS = 1000;

export function ChartForm({ explorer, chart, isNew, close, keep }: FormProps) {
  const host = useRef<HTMLDialogElement>(null);
  const written = useSignal<BoardChart>(isNew || !Object.hasOwn(KINDS, chart.kind) ? fitting(explorer, chart) : chart);
  useEffect(() => host.current!.showModal(), []);
  const now = written.value;
  const kind = KINDS[now.kind]!;
  const columns = columnsOf(explorer, now.of ?? "samples");
  const change = (patch: Partial<BoardChart>): void => {
    written.value = { ...now, ...patch } as BoardChart;
  };
  const labels = (name: string): string => columns.find((each) => each.name === name)?.label ?? name;
  const missing = Object.entries(kind.columns).find(
    ([field, wanted]) => wanted.none === undefined && !now[field as "x"],
  );
  const has = (field: (typeof kind.more)[number]): boolean => kind.more.includes(field);
  return (
    <dialog ref={host} class="chart-form" aria-labelledby="chart-form-title" data-testid="chart-form" onClose={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!missing) keep(now);
        }}
      >
        <h2 id="chart-form-title">{isNew ? "Add a chart" : "Edit the chart"}</h2>
        <div class="chart-form-fields">
          <div class="chart-form-kind">
            <Choice
              id="chart-kind"
              label="Chart"
              value={now.kind}
              change={(to) => {
                written.value = fitting(explorer, { ...now, kind: to });
              }}
            >
              {Object.entries(KINDS).map(([name, { title }]) => (
                <option key={name} value={name}>
                  {title}
                </option>
              ))}
            </Choice>
            <p class="scale-note">{kind.told}</p>
          </div>
          {Object.entries(kind.columns).map(([field, wanted]) => (
            <ColumnChoice
              key={field}
              id={`chart-${field}`}
              label={wanted.label}
              {...(wanted.none === undefined
                ? now[field as "x"]
                  ? {}
                  : { none: "Choose a column" }
                : { none: wanted.none })}
              columns={columns.filter(wanted.fits)}
              value={now[field as "x"] ?? null}
              change={(name) => change({ [field]: name })}
            />
          ))}
          {has("aggregate") && (
            <Choice
              id="chart-aggregate"
              label="Of each group the"
              value={now.aggregate ?? ""}
              change={(name) => change({ aggregate: name || null })}
            >
              <option value="">usual (mean, else count)</option>
              {AGGREGATES.map((name) => (
                <option key={name} value={name}>
                  {name === "quantile:0.9" ? "quantile .9" : name}
                </option>
              ))}
            </Choice>
          )}
          {has("bins") && (
            <div class="plan-field">
              <label for="chart-bins">Ranges of a number</label>
              <NumberField
                label="Ranges of a number"
                placeholder="as it suits"
                testId="chart-bins"
                value={now.bins}
                change={(bins) =>
                  change({ bins: bins === null ? null : Math.min(MOST_BINS, Math.max(1, Math.round(bins))) })
                }
              />
            </div>
          )}
          {has("label") && (
            <div class="plan-field">
              <label for="chart-label">Class</label>
              <input
                id="chart-label"
                type="text"
                class="text-field"
                data-testid="chart-label"
                placeholder="all"
                value={now.label ?? ""}
                onInput={(event) => change({ label: event.currentTarget.value.trim() || null })}
              />
            </div>
          )}
          {has("axis") && (
            <Choice
              id="chart-axis"
              label="Scale of the values"
              value={now.axis ?? "linear"}
              change={(axis) => change({ axis: axis as "linear" | "log" })}
            >
              <option value="linear">linear</option>
              <option value="log">logarithmic</option>
            </Choice>
          )}
          {has("of") && explorer.run.objects && (
            <Choice
              id="chart-of"
              label="Count"
              value={now.of ?? "samples"}
              change={(of) => {
                written.value = fitting(explorer, { ...now, of: of as Points });
              }}
            >
              <option value="samples">samples</option>
              <option value="objects">objects</option>
            </Choice>
          )}
          <div class="plan-field chart-form-title">
            <label for="chart-title">Title</label>
            <input
              id="chart-title"
              type="text"
              class="text-field"
              data-testid="chart-title"
              maxLength={200}
              placeholder={titleOf({ ...now, title: null }, labels)}
              value={now.title ?? ""}
              onInput={(event) => change({ title: event.currentTarget.value || null })}
            />
          </div>
        </div>
        <div class="chart-form-foot">
          {missing && <span class="scale-note">{`Choose a column for \u201c${missing[1].label}\u201d.`}</span>}
          <button type="button" class="button" onClick={() => host.current!.close()}>
            Cancel
          </button>
          <button type="submit" class="button primary" data-testid="chart-keep" disabled={missing !== undefined}>
            {isNew ? "Add" : "Save"}
          </button>
        </div>
      </form>
    </dialog>
  );
}

function columnsOf(explorer: Explorer, of: Points): Column[] {
  return tableOf(explorer.run, of).columns;
}

/** The chart with what its kind does not take left out, and with columns that it needs. */
function fitting(explorer: Explorer, chart: BoardChart): BoardChart {
  const kind = Object.hasOwn(KINDS, chart.kind) ? chart.kind : "bar";
  const { columns: wanted, more } = KINDS[kind]!;
  const columns = columnsOf(explorer, chart.of ?? "samples");
  const next: Record<string, unknown> = { kind, title: chart.title ?? null, width: chart.width ?? 1 };
  for (const [field, { fits, none }] of Object.entries(wanted)) {
    const named = columns.find(({ name }) => name === chart[field as "x"]);
    const isFit = named !== undefined && fits(named);
    next[field] = isFit
      ? named.name
      : none === undefined
        ? (usual(columns, fits, next.x as string | null) ?? null)
        : null;
  }
  for (const field of more) if (chart[field] !== undefined) next[field] = chart[field];
  return next as unknown as BoardChart;
}

/** A column that likely says something: a class, a loss, else the first that is not taken. */
function usual(
  columns: Column[],
  fits: (column: Column) => boolean,
  taken: string | null | undefined,
): string | undefined {
  const fit = columns.filter((column) => fits(column) && column.name !== taken);
  const first =
    fit.find(({ meaning }) => meaning === "class name" || meaning === "label") ??
    fit.find(({ group }) => group === "loss") ??
    fit[0];
  return first?.name;
}
