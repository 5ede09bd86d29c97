/** The element instances of a sample: a row each, a column for each thing that one of them has. */

import type { Column, Instance } from "../../api/client";
import { Better } from "../../ui/better";
import { formatName, formatValue } from "../../ui/format";

/** What is needed of a column. */
type Named = Pick<Column, "name" | "label" | "direction">;

export interface InstanceTable {
  columns: Named[];
  /** Number of the instance, and a text a column. */
  rows: { number: number; cells: string[] }[];
}

/** Columns in which no instance of the sample has a value are left out: the panel is narrow. */
export function layoutInstances(instances: Instance[], columns: Named[]): InstanceTable {
  const known = columns.filter(({ name }) => instances.some((instance) => (instance[name] ?? null) !== null));
  const rows = instances.map((instance) => ({
    number: instance.number,
    cells: known.map(({ name }) => formatValue(instance[name])),
  }));
  return { columns: known, rows };
}

interface InstancesProps {
  instances: Instance[];
  known: Named[];
  /** Number of the instance that is open. */
  open: number | null;
  /** An instance is pointed at or focused; null: none is any more. */
  point: (number: number | null) => void;
  choose: (number: number) => void;
}

export function Instances({ instances, known, open, point, choose }: InstancesProps) {
  const { columns, rows } = layoutInstances(instances, known);
  return (
    // It scrolls, so it has to be reached by the keyboard.
    <div class="instances" tabIndex={0} role="group" aria-label="Instances">
      <table data-testid="instances">
        <thead>
          <tr>
            <th scope="col" title="number">
              #
            </th>
            {columns.map(({ name, label, direction }) => (
              <th key={name} scope="col" title={name}>
                {formatName(label)}
                <Better direction={direction} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ number, cells }) => (
            <tr
              key={number}
              aria-current={number === open}
              onPointerEnter={() => point(number)}
              onPointerLeave={() => point(null)}
            >
              <th scope="row">
                <button
                  type="button"
                  class="link"
                  aria-label={`Outline object ${number}`}
                  aria-pressed={number === open}
                  onFocus={() => point(number)}
                  onBlur={() => point(null)}
                  onClick={() => choose(number)}
                >
                  {number}
                </button>
              </th>
              {cells.map((cell, at) => (
                <td key={columns[at]!.name}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
