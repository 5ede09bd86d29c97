/** What the points stand for: their colour, their size, and the map that they lie on. */

import type { ComponentChildren } from "preact";
import type { Column } from "../api/client";
import type { Explorer } from "../state/explorer";
import { tableOf } from "../state/painting";
import { defaultPaint, isColourable, isSizeable } from "../state/view";
import { formatName, groupName } from "../ui/format";
import { Switch } from "../ui/switch";

const NONE = "none";

export function Toolbar({ explorer }: { explorer: Explorer }) {
  const { run } = explorer;
  const view = explorer.view.value;
  const { columns } = tableOf(run, view.points);
  const chosen = (value: string): string | null => (value === NONE ? null : value);
  const spaces = run.latent_spaces.map(({ name, width }) => [name, `${formatName(name)} (${width} dimensions)`]);
  return (
    <div class="toolbar" role="group" aria-label="Points and map">
      <Field
        id="colour-select"
        label="Colour"
        value={view.colour ?? NONE}
        change={(value) => explorer.set({ colour: chosen(value), hiddenCategories: [] })}
      >
        <ColumnOptions columns={columns.filter(isColourable)} none="One colour" />
      </Field>
      <Field
        id="size-select"
        label="Size"
        value={view.size ?? NONE}
        change={(value) => explorer.set({ size: chosen(value) })}
      >
        <ColumnOptions columns={columns.filter(isSizeable)} none="All the same" />
      </Field>
      {run.objects && (
        <Switch
          label="Points"
          names={{ samples: "Samples", objects: "Objects" }}
          chosen={view.points}
          choose={(points) => explorer.set({ ...defaultPaint(run, points), hiddenCategories: [] })}
        />
      )}
      <Field id="space-select" label="Space" value={view.space} change={(space) => explorer.set({ space })}>
        {(spaces.length ? spaces : [["", "none"]]).map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </Field>
      <Field
        id="projection-select"
        label="Map"
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
          checked={explorer.map.named.value}
          onChange={(event) => {
            explorer.map.named.value = event.currentTarget.checked;
          }}
        />
        Names
      </label>
    </div>
  );
}

/** Names that the field writes otherwise than the API does. */
export function projectionName(name: string): string {
  const known: Record<string, string> = { pacmap: "PaCMAP", localmap: "LocalMAP", pca: "PCA" };
  return known[name] ?? name;
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
