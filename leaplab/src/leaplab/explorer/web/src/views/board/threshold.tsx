/** The least confidence that counts, moved for all charts of the board that have one. */

import type { Chart, Outcome } from "../../api/charts";
import type { Boards } from "../../state/boards";
import { formatCount, formatRounded } from "../../ui/format";

const short = (value: number | null): string => (value === null ? "\u2014" : formatRounded(value));

export function Threshold({ boards, chart }: { boards: Boards; chart: Chart }) {
  const value = boards.threshold.value ?? chart.threshold ?? 0;
  const name = chart.outcomes.length === 1 ? chart.outcomes[0]!.name : "all";
  const of = (outcomes: readonly Outcome[]) => outcomes.find((outcome) => outcome.name === name) ?? outcomes[0];
  const now = of(chart.outcomes);
  const best = of(chart.best);
  return (
    <div class="card-threshold" data-testid="threshold">
      <label class="threshold-slider">
        <span>Confidence of at least</span>
        <input
          type="range"
          min={0}
          max={1}
          step={0.01}
          value={value}
          data-testid="threshold-slider"
          aria-valuetext={short(value)}
          onInput={(event) => {
            boards.threshold.value = Number(event.currentTarget.value);
          }}
          onChange={() => boards.keepThreshold()}
        />
        <output>{value.toFixed(2)}</output>
      </label>
      {now && (
        <p class="threshold-told" data-testid="threshold-told" aria-live="polite">
          {`Precision ${short(now.precision)}, recall ${short(now.recall)}, F1 ${short(now.f1)}: ${formatCount(now.true_positives)} right, ${formatCount(now.false_positives)} false, ${formatCount(now.false_negatives)} missed.`}
          {best && (
            <button
              type="button"
              class="link"
              data-testid="threshold-best"
              onClick={() => {
                boards.threshold.value = best.threshold;
                boards.keepThreshold();
              }}
            >
              {`Best F1 ${short(best.f1)} at ${short(best.threshold)}`}
            </button>
          )}
        </p>
      )}
    </div>
  );
}
