/** What is wrong, a card each: a click selects its samples; a person says what becomes of it. */

import { useSignal, useSignalEffect } from "@preact/signals";
import { useId } from "preact/hooks";
import type { Difference, Insight } from "../api/client";
import type { Explorer } from "../state/explorer";
import { STATUSES } from "../state/insight-notes";
import { lookedFor } from "../state/progress";
import { amount, nameOf } from "../ui/differences";
import { formatCount, formatName } from "../ui/format";

export function Insights({ explorer }: { explorer: Explorer }) {
  // The map comes first: both would take all of the processor.
  useSignalEffect(() => {
    const hasMap = explorer.map.painted.value !== null && explorer.map.computing.value.size === 0;
    if (hasMap && explorer.insights.peek() === null) explorer.lookForInsights();
  });
  const answer = explorer.insights.value;
  if (!answer || answer.state === "waiting") {
    return (
      <p class="waiting" role="status">
        <span class="spinner" />
        {lookedFor(explorer.working.value)}
      </p>
    );
  }
  if (answer.state === "failed") return <p class="panel-error">{answer.sentence}</p>;
  const { insights, silent } = answer.value;
  const whole = insights.filter(({ parent }) => parent === null);
  const isDismissed = ({ stable_id }: Insight): boolean => explorer.notes.of(stable_id).status === "dismissed";
  const dismissed = whole.filter(isDismissed);
  const problem = explorer.notes.problem.value;
  return (
    <div data-testid="insights">
      {problem && (
        <p class="panel-error" role="alert">
          {problem}
        </p>
      )}
      <Cards explorer={explorer} cards={whole.filter((each) => !isDismissed(each))} all={insights} />
      {dismissed.length > 0 && (
        <details class="more" data-testid="dismissed">
          <summary>{`${formatCount(dismissed.length)} dismissed`}</summary>
          <Cards explorer={explorer} cards={dismissed} all={insights} />
        </details>
      )}
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
    </div>
  );
}

interface CardsProps {
  explorer: Explorer;
  cards: readonly Insight[];
  all: readonly Insight[];
}

/** Cards, the parts of each below it. */
function Cards({ explorer, cards, all }: CardsProps) {
  return (
    <ul class="insights">
      {cards.map((card) => (
        <li key={card.id}>
          <Card explorer={explorer} card={card} />
          {all.some(({ parent }) => parent === card.id) && (
            <ul class="parts" aria-label={`Parts of ${card.title}`}>
              {all
                .filter(({ parent }) => parent === card.id)
                .map((part) => (
                  <li key={part.id}>
                    <Card explorer={explorer} card={part} />
                  </li>
                ))}
            </ul>
          )}
        </li>
      ))}
    </ul>
  );
}

function Card({ explorer, card }: { explorer: Explorer; card: Insight }) {
  const isOpen = explorer.view.value.insight === card.stable_id;
  const { status } = explorer.notes.of(card.stable_id);
  return (
    <>
      <button type="button" class="insight" aria-pressed={isOpen} onClick={() => explorer.chosen.openInsight(card)}>
        <span class="insight-kind">
          {card.parent === null ? formatName(card.kind) : "part"}
          {status !== "open" && <span class="insight-status">{status}</span>}
        </span>
        <span class="insight-title">{card.title}</span>
        <span class="entry-count">{formatCount(card.count)}</span>
      </button>
      {isOpen && (
        <div class="insight-more">
          <p>{card.explanation}</p>
          <p class="insight-do">{card.to_do}</p>
          <Apart explorer={explorer} differences={card.differences} />
          <Said explorer={explorer} card={card} />
        </div>
      )}
    </>
  );
}

/** The strongest of what sets its samples apart from the rest. */
function Apart({ explorer, differences }: { explorer: Explorer; differences: readonly Difference[] }) {
  if (differences.length === 0) return null;
  const labels = new Map(explorer.run.columns.map(({ name, label }) => [name, formatName(label)]));
  return (
    <table class="apart" data-testid="apart">
      <caption>What sets it apart</caption>
      <thead>
        <tr>
          <th scope="col">
            <span class="unseen">Column</span>
          </th>
          <th scope="col">here</th>
          <th scope="col">else</th>
        </tr>
      </thead>
      <tbody>
        {differences.map((difference) => (
          <tr key={difference.column}>
            <th scope="row">{nameOf(difference, (column) => labels.get(column) ?? column)}</th>
            <td>{amount(difference.inside)}</td>
            <td>{amount(difference.outside)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Status and note. */
function Said({ explorer, card }: { explorer: Explorer; card: Insight }) {
  const name = useId();
  const saved = useSignal(false);
  const { status, note } = explorer.notes.of(card.stable_id);
  return (
    <div class="insight-said">
      <fieldset class="segments">
        <legend class="unseen">Status</legend>
        {STATUSES.map((each) => (
          <label key={each}>
            <input
              type="radio"
              name={name}
              checked={status === each}
              onChange={() => void explorer.notes.say(card.stable_id, { status: each })}
            />
            <span>{each}</span>
          </label>
        ))}
      </fieldset>
      <textarea
        class="text-field"
        rows={2}
        maxLength={10_000}
        aria-label={`Note on ${card.title}`}
        placeholder="Note"
        defaultValue={note}
        onInput={() => (saved.value = false)}
        onBlur={(event) => {
          const { value } = event.currentTarget;
          if (value === explorer.notes.of(card.stable_id).note) return;
          void explorer.notes.say(card.stable_id, { note: value }).then((kept) => (saved.value = kept));
        }}
      />
      <span class="insight-saved" role="status">
        {saved.value ? "saved" : ""}
      </span>
    </div>
  );
}
