/** What looks like the open sample to the model, the nearest first, and why. */

import { useSignal } from "@preact/signals";
import type { Explorer } from "../../state/explorer";
import { Group, Waited } from "./waited";

/** Samples that are shown at first: one row. */
const FIRST = 6;

export function Similar({ explorer }: { explorer: Explorer }) {
  const near = explorer.panel.near.value;
  const all = useSignal(false);
  if (near === null) return null;
  return (
    <Group title="Similar to the model">
      <Waited answer={near} waiting={"Looking around\u2026"} retry={() => explorer.panel.reopen()}>
        {(value) => (
          <>
            <div class="similar" data-testid="similar">
              {value.slice(0, all.value ? value.length : FIRST).map(({ row, sample_id, state, distance }) => {
                const away = distance.toPrecision(3);
                return (
                  <div key={row} class="near">
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
                    </button>
                    <span class="near-away">{distance.toPrecision(2)}</span>
                    <button
                      type="button"
                      class="link"
                      aria-label={`Why is ${sample_id} of ${state} similar?`}
                      title="Draw what makes it similar"
                      onClick={() => explorer.panel.explain(`similar:${state}/${sample_id}`)}
                    >
                      why
                    </button>
                  </div>
                );
              })}
            </div>
            <div class="similar-more">
              {value.length > FIRST && (
                <button
                  type="button"
                  class="link"
                  aria-expanded={all.value}
                  onClick={() => {
                    all.value = !all.value;
                  }}
                >
                  {all.value ? "Fewer" : `${value.length - FIRST} more`}
                </button>
              )}
              <button
                type="button"
                class="link"
                onClick={() =>
                  explorer.select(
                    value.map(({ row }) => row),
                    "replace",
                  )
                }
              >
                Select them
              </button>
            </div>
          </>
        )}
      </Waited>
    </Group>
  );
}
