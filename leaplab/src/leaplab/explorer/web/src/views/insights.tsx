/** What is wrong, a card each: a click selects its samples. */

import { useSignalEffect } from "@preact/signals";
import type { Explorer } from "../state/explorer";
import { formatCount, formatName } from "../ui/format";

export function Insights({ explorer }: { explorer: Explorer }) {
  // The map comes first: both would take all of the processor.
  useSignalEffect(() => {
    const hasMap = explorer.painted.value !== null && explorer.computing.value.size === 0;
    if (hasMap && explorer.insights.peek() === null) explorer.lookForInsights();
  });
  const answer = explorer.insights.value;
  if (!answer || answer.state === "waiting") {
    return (
      <p class="waiting" role="status">
        <span class="spinner" />
        Looking for what is wrong
      </p>
    );
  }
  if (answer.state === "failed") return <p class="panel-error">{answer.sentence}</p>;
  const { insights, silent } = answer.value;
  return (
    <>
      <ul class="insights" data-testid="insights">
        {insights.map((each) => {
          const isOpen = explorer.insight.value === each.id;
          return (
            <li key={each.id} class={each.parent ? "part" : undefined}>
              <button
                type="button"
                class="insight"
                aria-pressed={isOpen}
                onClick={() => void explorer.openInsight(each.id)}
              >
                <span class="insight-kind">{formatName(each.kind)}</span>
                <span class="insight-title">{each.title}</span>
                <span class="entry-count">{formatCount(each.count)}</span>
              </button>
              {isOpen && (
                <div class="insight-more">
                  <p>{each.explanation}</p>
                  <p>{each.to_do}</p>
                </div>
              )}
            </li>
          );
        })}
      </ul>
      {silent.length > 0 && (
        <details class="more">
          <summary>{`${silent.length} kinds were looked for, and not found`}</summary>
          <ul>
            {silent.map(({ kind, reason }) => (
              <li key={kind} class="insight-more">
                <b>{formatName(kind)}</b>
                {`: ${reason}`}
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}
