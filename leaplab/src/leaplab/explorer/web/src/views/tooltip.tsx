/** What lies under the pointer. */

import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { type ColumnValues, numberAt } from "../api/values";
import type { Explorer } from "../state/explorer";
import { ABSENT, formatName, formatRounded } from "../ui/format";
import { Swatch } from "./legend";

const GAP = 14;

/** The value of a row as a person reads it; a number to the 65,534th of its scale that the page has. */
export function valueAt(values: ColumnValues, row: number): string {
  if (values.kind === "categorical") return values.column.categories?.[values.codes[row]!] ?? ABSENT;
  const { scale } = values;
  const number = numberAt(values, row);
  const text = formatRounded(number);
  if (number === scale.high && scale.max > scale.high) return `\u2265 ${text}`;
  return number === scale.low && scale.min < scale.low ? `\u2264 ${text}` : text;
}

/** An object by its number and its image. */
function ObjectName({ explorer, object }: { explorer: Explorer; object: number }) {
  const owners = explorer.objects.owners.value;
  const id = useSignal<string | null>(null);
  const row = owners?.rows[object];
  useEffect(() => {
    if (row !== undefined)
      void explorer.idOf(row).then(
        (found) => (id.value = found),
        () => undefined,
      );
  }, [row]);
  return <>{`Object ${owners?.numbers[object]} of ${id.value ?? `sample ${row}`}`}</>;
}

export function Tooltip({ explorer }: { explorer: Explorer }) {
  const hovered = explorer.hovered.value;
  const painted = explorer.map.painted.value;
  const host = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const node = host.current;
    if (!node || !hovered) return;
    const { offsetWidth: width, offsetHeight: height } = node;
    const [x, y] = hovered.at;
    const left = x + GAP + width > window.innerWidth ? x - GAP - width : x + GAP;
    const top = Math.min(Math.max(8, y - height / 2), window.innerHeight - height - 8);
    node.style.transform = `translate(${Math.max(8, left)}px, ${top}px)`;
  });
  if (!hovered || !painted) return null;
  const { colour, size, states, names } = painted;
  const shown = [names, states, colour.values, size?.values].filter(
    (values) => values !== null && values !== undefined,
  );
  const unique = [...new Map(shown.map((values) => [values.column.name, values])).values()];
  return (
    <div ref={host} class="tooltip" data-testid="tooltip" role="tooltip">
      <div class="tooltip-head">
        <Swatch colour={explorer.map.colours.value[colour.encoding.codes[hovered.row]!]!} />
        <strong>
          {painted.table.of === "objects" ? (
            <ObjectName key={hovered.row} explorer={explorer} object={hovered.row} />
          ) : (
            `Sample ${hovered.row}`
          )}
        </strong>
      </div>
      <dl>
        {unique.map((values) => (
          <div key={values.column.name} class="tooltip-fact">
            <dt>{formatName(values.column.label)}</dt>
            <dd>{valueAt(values, hovered.row)}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
