/** A population, named by a column's values, a condition, or what is on the map. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Column } from "../../api/client";
import { sentenceOf } from "../../state/answer";
import type { SideForm } from "../../state/plan";
import type { Planning } from "../../state/planning";
import { isColourable } from "../../state/view";
import { formatCount, formatName, formatSamples } from "../../ui/format";
import { NumberField } from "../../ui/number-field";
import { Choice, ColumnChoice } from "./asking";

/** Milliseconds without a change after which samples are counted. */
const PAUSE = 250;
/** Categories that are listed. */
const MOST = 60;

interface Props {
  planning: Planning;
  id: string;
  title: string;
  side: SideForm;
  /** Whether it may be all that is not in another one. */
  rest: boolean;
  change: (side: SideForm) => void;
}

export function SideField({ planning, id, title, side, rest, change }: Props) {
  const { explorer } = planning;
  const columns = explorer.run.columns.filter(isColourable);
  const kinds: [SideForm["by"], string][] = [
    ["column", "Values of a column"],
    ["where", "A condition"],
    ["shown", `What is shown (${formatCount(explorer.map.visible.value.count)})`],
    ["selection", `The selection (${formatCount(explorer.chosen.count.value)})`],
  ];
  if (rest) kinds.push(["rest", "Everything else"]);
  const begin = (by: string): void => {
    if (by === "column") change({ by, column: columns[0]!.name, keep: [], low: null, high: null });
    else change(by === "where" ? { by, where: "" } : ({ by } as SideForm));
  };
  return (
    <fieldset class="side" data-testid={id}>
      <legend>{title}</legend>
      <Choice id={`${id}-by`} label="Given by" value={side.by} change={begin}>
        {kinds.map(([by, label]) => (
          <option key={by} value={by}>
            {label}
          </option>
        ))}
      </Choice>
      {side.by === "where" && (
        <div class="plan-field">
          <label for={`${id}-where`}>Condition</label>
          <input
            id={`${id}-where`}
            data-testid={`${id}-where`}
            type="text"
            autocomplete="off"
            spellcheck={false}
            placeholder="state = 'unlabeled'"
            value={side.where}
            onInput={(event) => change({ by: "where", where: event.currentTarget.value })}
          />
        </div>
      )}
      {side.by === "column" && (
        <>
          <ColumnChoice
            id={`${id}-column`}
            label="Column"
            columns={columns}
            value={side.column}
            change={(column) => column !== null && change({ ...side, column, keep: [], low: null, high: null })}
          />
          <ColumnValues id={id} columns={columns} side={side} change={change} />
        </>
      )}
      <Count planning={planning} side={side} />
    </fieldset>
  );
}

type OfColumn = Extract<SideForm, { by: "column" }>;

function ColumnValues(props: { id: string; columns: Column[]; side: OfColumn; change: (side: SideForm) => void }) {
  const { id, side, change } = props;
  const column = props.columns.find(({ name }) => name === side.column);
  if (column?.kind === "continuous") {
    return (
      <div class="column-range">
        {(["low", "high"] as const).map((end) => (
          <NumberField
            key={end}
            label={`${end === "low" ? "Least" : "Greatest"} ${formatName(column.label)}`}
            placeholder={end === "low" ? "at least" : "at most"}
            value={side[end]}
            change={(value) => change({ ...side, [end]: value })}
          />
        ))}
      </div>
    );
  }
  const names = column?.categories ?? [];
  const listed = [...new Set([...side.keep, ...names.slice(0, MOST)])];
  const toggled = (name: string): string[] =>
    side.keep.includes(name) ? side.keep.filter((one) => one !== name) : [...side.keep, name];
  return (
    <>
      <div
        class="side-values"
        role="group"
        aria-label={`Values of ${formatName(column?.label ?? side.column)}`}
        tabIndex={0}
      >
        {(names.length > MOST ? listed : names).map((name) => (
          <label key={name} class="side-value">
            <input
              type="checkbox"
              data-testid={`${id}-${name}`}
              checked={side.keep.includes(name)}
              onChange={() => change({ ...side, keep: toggled(name) })}
            />
            <span class="entry-name">{name}</span>
          </label>
        ))}
      </div>
      {names.length > MOST && (
        <p class="scale-note">{`${formatCount(names.length - MOST)} more values; write a condition for those.`}</p>
      )}
    </>
  );
}

/** How many samples meet it, while it is written. */
function Count({ planning, side }: { planning: Planning; side: SideForm }) {
  const told = useSignal("");
  const key = JSON.stringify(side);
  useEffect(() => {
    told.value = "";
    const empty = side.by === "column" ? !side.keep.length && side.low === null && side.high === null : false;
    if (empty) told.value = "Choose values.";
    if (empty || (side.by !== "column" && side.by !== "where") || (side.by === "where" && !side.where.trim())) return;
    const leaving = new AbortController();
    const { where = null, filters } = planning.side(side);
    const pause = window.setTimeout(() => {
      planning.explorer.client.select({ where, filters: filters ?? [], histograms: [] }, leaving.signal).then(
        ({ count }) => {
          told.value = formatSamples(count);
        },
        (error: unknown) => {
          if (!leaving.signal.aborted) told.value = sentenceOf(error);
        },
      );
    }, PAUSE);
    return () => {
      window.clearTimeout(pause);
      leaving.abort();
    };
  }, [key]);
  return (
    <p class="scale-note side-count" aria-live="polite">
      {told.value}
    </p>
  );
}
