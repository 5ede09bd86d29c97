/** The controls: colour, size, map, states, and the way to a sample by its id. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { Column } from "../api/client";
import type { Explorer } from "../state/explorer";
import { isColourable, isSizeable } from "../state/view";
import { formatCount, formatName, groupName } from "../ui/format";
import { Columns } from "./columns";
import { Insights } from "./insights";

const NONE = "none";

export function Sidebar({ explorer }: { explorer: Explorer }) {
  const { run } = explorer;
  const view = explorer.view.value;
  const chosen = (value: string): string | null => (value === NONE ? null : value);
  const spaces = run.latent_spaces.map(({ name, width }) => [name, `${formatName(name)} (${width} dimensions)`]);
  return (
    <aside id="controls" class="sidebar" aria-label="Map controls" tabIndex={-1}>
      <Section title="Insights">
        <Insights explorer={explorer} />
      </Section>
      <Section title="Points">
        <Field
          id="colour-select"
          label="Colour by"
          value={view.colour ?? NONE}
          change={(value) => explorer.set({ colour: chosen(value), hiddenCategories: [] })}
        >
          <ColumnOptions columns={run.columns.filter(isColourable)} none="One colour" />
        </Field>
        <Field
          id="size-select"
          label="Size by"
          value={view.size ?? NONE}
          change={(value) => explorer.set({ size: chosen(value) })}
        >
          <ColumnOptions columns={run.columns.filter(isSizeable)} none="All the same" />
        </Field>
      </Section>
      <Section title="Map">
        <Field id="space-select" label="Latent space" value={view.space} change={(space) => explorer.set({ space })}>
          {(spaces.length ? spaces : [["", "none"]]).map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </Field>
        <Field
          id="projection-select"
          label="Projection"
          value={view.projection}
          change={(projection) => explorer.set({ projection })}
        >
          {run.projections.map((name) => (
            <option key={name} value={name}>
              {projectionName(name)}
            </option>
          ))}
        </Field>
        <label class="switch">
          <input
            type="checkbox"
            checked={explorer.named.value}
            onChange={(event) => {
              explorer.named.value = event.currentTarget.checked;
            }}
          />
          Names on the map
        </label>
      </Section>
      <Section title="States">
        <States explorer={explorer} />
      </Section>
      <Section title="Columns">
        <Columns explorer={explorer} />
      </Section>
      <Section title="Find">
        <Find explorer={explorer} />
      </Section>
      <Hints />
    </aside>
  );
}

/** Names that the field writes otherwise than the API does. */
export function projectionName(name: string): string {
  const known: Record<string, string> = { pacmap: "PaCMAP", localmap: "LocalMAP", pca: "PCA" };
  return known[name] ?? name;
}

function Section({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="control-group">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

interface FieldProps {
  id: string;
  label: string;
  value: string;
  change: (value: string) => void;
  children: ComponentChildren;
}

function Field({ id, label, value, change, children }: FieldProps) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} data-testid={id} value={value} onChange={(event) => change(event.currentTarget.value)}>
        {children}
      </select>
    </div>
  );
}

function ColumnOptions({ columns, none }: { columns: Column[]; none: string }) {
  const groups = new Map<string, Column[]>();
  for (const column of columns) groups.set(column.group, [...(groups.get(column.group) ?? []), column]);
  return (
    <>
      <option value={NONE}>{none}</option>
      {[...groups].map(([group, members]) => (
        <optgroup key={group} label={groupName(group)}>
          {members.map(({ name, label }) => (
            <option key={name} value={name}>
              {formatName(label)}
            </option>
          ))}
        </optgroup>
      ))}
    </>
  );
}

function States({ explorer }: { explorer: Explorer }) {
  const hidden = explorer.view.value.hiddenStates;
  const toggled = (name: string): string[] =>
    hidden.includes(name) ? hidden.filter((one) => one !== name) : [...hidden, name];
  return (
    <div class="chips" role="group" aria-label="States shown">
      {explorer.run.states.map(({ name, count }) => (
        <button
          key={name}
          type="button"
          class="chip"
          data-testid={`state-${name}`}
          aria-pressed={!hidden.includes(name)}
          onClick={() => explorer.set({ hiddenStates: toggled(name) })}
        >
          <span class="chip-mark" aria-hidden="true" />
          <span class="chip-name">{name}</span>
          <span class="chip-count">{formatCount(count)}</span>
        </button>
      ))}
    </div>
  );
}

function Find({ explorer }: { explorer: Explorer }) {
  const text = useSignal("");
  const answer = useSignal("");
  return (
    <form
      class="field"
      onSubmit={(event) => {
        event.preventDefault();
        const wanted = text.value.trim();
        if (wanted) void explorer.find(wanted).then((sentence) => (answer.value = sentence ?? ""));
      }}
    >
      <label for="find">Go to a sample</label>
      <input
        id="find"
        type="search"
        autocomplete="off"
        spellcheck={false}
        placeholder="Sample id"
        data-testid="find"
        aria-describedby="find-answer"
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value;
          answer.value = "";
        }}
      />
      <p id="find-answer" class="field-note" role="status">
        {answer.value}
      </p>
    </form>
  );
}

function Hints() {
  const hints = [
    ["Drag", "move"],
    ["Scroll", "zoom"],
    ["Shift-drag", "select"],
    ["Click", "open"],
    ["[ ]", "step"],
    ["Esc", "close"],
  ];
  return (
    <ul class="hints" aria-label="How to move on the map">
      {hints.map(([keys, what]) => (
        <li key={keys}>
          <kbd>{keys}</kbd>
          <span>{what}</span>
        </li>
      ))}
    </ul>
  );
}
