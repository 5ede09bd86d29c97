/** A sample near to the open one: its picture, which opens it, and how far it is. */

import type { ComponentChildren } from "preact";
import type { Explorer } from "../../state/explorer";

interface Props {
  explorer: Explorer;
  near: { row: number; sample_id: string; state: string; distance: number };
  /** What lies over its picture. */
  over?: ComponentChildren;
  /** What stands below. */
  children?: ComponentChildren;
}

export function NearTile({ explorer, near, over, children }: Props) {
  const { row, sample_id, state, distance } = near;
  const away = distance.toPrecision(3);
  return (
    <div class="near">
      <button
        type="button"
        class="tile"
        title={`${sample_id}, ${state}: ${away} away`}
        aria-label={`Open ${sample_id} of ${state}, ${away} away`}
        onClick={() => explorer.open(row)}
      >
        <img
          src={explorer.thumbnail(row)}
          alt=""
          decoding="async"
          onError={(event) => event.currentTarget.classList.add("missing")}
        />
        {over}
      </button>
      <span class="near-away">{distance.toPrecision(2)}</span>
      {children}
    </div>
  );
}
