/** Pictures of samples, in a row. */

import type { Explorer } from "../../state/explorer";

/** Pictures that are shown. */
const MOST = 40;

export function Strip({ explorer, rows, of }: { explorer: Explorer; rows: readonly number[]; of: string }) {
  return (
    <div class="strip" role="group" aria-label={of} tabIndex={0}>
      {rows.slice(0, MOST).map((row, at) => (
        <Picture key={row} explorer={explorer} row={row} label={`Open sample ${row}, number ${at + 1}`} />
      ))}
    </div>
  );
}

/** A way to the sample on the map. */
export function Picture({ explorer, row, label }: { explorer: Explorer; row: number; label: string }) {
  return (
    <button
      type="button"
      class="tile"
      aria-label={label}
      onClick={() => {
        explorer.set({ tab: "map" });
        explorer.open(row);
      }}
    >
      <img
        src={explorer.thumbnail(row)}
        alt=""
        loading="lazy"
        decoding="async"
        onError={(event) => event.currentTarget.classList.add("missing")}
      />
    </button>
  );
}
