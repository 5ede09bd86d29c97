/** The plan: what to compare, what to label, what to prune. */

import type { ComponentType } from "preact";
import type { Tool } from "../../api/planning";
import { TOOLS } from "../../state/plan";
import type { Planning } from "../../state/planning";
import { Gap } from "./gap";
import { Gaps } from "./gaps";
import { Labelling, Prediction, Pruning } from "./lists";

interface About {
  title: string;
  told: string;
  View: ComponentType<{ planning: Planning }>;
}

const ABOUT: Record<Tool, About> = {
  gap: { title: "Domain gap", told: "Do two populations differ, and in what?", View: Gap },
  gaps: { title: "All gaps", told: "The values of a column, each with each.", View: Gaps },
  label: { title: "What to label next", told: "Samples that stand for many, where the model fails.", View: Labelling },
  prune: { title: "What to prune", told: "Keep a share of every kind.", View: Pruning },
  "predicted-loss": { title: "Predicted loss", told: "Where the model fails, without labels.", View: Prediction },
};

export function Plan({ planning }: { planning: Planning }) {
  const { tool } = planning;
  const { title, View } = ABOUT[tool];
  return (
    <main class="plan" data-testid="plan">
      <nav class="plan-tools" aria-label="Questions">
        {TOOLS.map((name) => (
          <button
            key={name}
            type="button"
            class="plan-tool"
            aria-current={name === tool}
            data-testid={`tool-${name}`}
            onClick={() => planning.open(name)}
          >
            <span class="plan-tool-title">{ABOUT[name].title}</span>
            <span class="plan-tool-told">{ABOUT[name].told}</span>
          </button>
        ))}
      </nav>
      {/* It scrolls, so it has to be reached by the keyboard. */}
      <section id="plan" class="plan-question" aria-labelledby="plan-title" tabIndex={0}>
        <h2 id="plan-title">{title}</h2>
        <View key={tool} planning={planning} />
      </section>
    </main>
  );
}
