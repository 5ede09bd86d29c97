/** What looks like the open sample to the model, the nearest first, and why. */

import { useSignal } from "@preact/signals";
import type { Explorer } from "../../state/explorer";
import { NearTile } from "./near-tile";
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
              {value.slice(0, all.value ? value.length : FIRST).map((near) => (
                <NearTile key={near.row} explorer={explorer} near={near}>
                  <button
                    type="button"
                    class="link"
                    aria-label={`Why is ${near.sample_id} of ${near.state} similar?`}
                    title="Draw what makes it similar"
                    onClick={() => explorer.panel.explain(`similar:${near.state}/${near.sample_id}`)}
                  >
                    why
                  </button>
                </NearTile>
              ))}
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
