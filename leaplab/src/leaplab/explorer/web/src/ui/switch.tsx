/** Two buttons of which one is pressed: samples, or their objects. */

import type { Points } from "../api/client";

interface SwitchProps {
  label: string;
  names: Record<Points, string>;
  chosen: Points;
  choose: (of: Points) => void;
}

export function Switch({ label, names, chosen, choose }: SwitchProps) {
  return (
    <div class="two" role="group" aria-label={label}>
      {(["samples", "objects"] as const).map((of) => (
        <button key={of} type="button" class="two-button" aria-pressed={of === chosen} onClick={() => choose(of)}>
          {names[of]}
        </button>
      ))}
    </div>
  );
}
