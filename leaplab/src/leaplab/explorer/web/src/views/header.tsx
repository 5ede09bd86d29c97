/** What the page is of, and how good the model is at first sight. */

import type { Headline } from "../api/client";
import type { Explorer } from "../state/explorer";
import { TABS, type Tab } from "../state/view";
import { formatCount, formatName, formatRounded } from "../ui/format";
import { Help } from "./help";

export function Header({ explorer }: { explorer: Explorer }) {
  const { run } = explorer;
  const headline = explorer.headline.value;
  const other = explorer.theme.value === "dark" ? "light" : "dark";
  return (
    <>
      <header class="header">
        <h1 title={run.name}>{run.name}</h1>
        <Tabs explorer={explorer} />
        {headline && <Scores explorer={explorer} headline={headline} />}
        <span class="header-model" title={`Model: ${run.model}`}>
          {run.model}
        </span>
        <div class="header-buttons">
          <button
            type="button"
            class="header-search"
            data-testid="open-search"
            onClick={() => (explorer.searching.value = "")}
          >
            Search <kbd>Ctrl K</kbd>
          </button>
          <button
            type="button"
            class="header-button"
            aria-label={`Change to ${other}`}
            title={`Change to ${other}`}
            data-testid="scheme"
            onClick={() => explorer.layout.setScheme(other)}
          >
            {"\u25d0"}
          </button>
          <Help explorer={explorer} />
        </div>
      </header>
      {run.notice && (
        <aside class="notice" aria-label="Notice">
          {run.notice}
        </aside>
      )}
    </>
  );
}

const TAB_NAMES: Record<Tab, string> = { map: "Map", plan: "Plan", charts: "Charts" };

function Tabs({ explorer }: { explorer: Explorer }) {
  return (
    <nav class="tabs" aria-label="Views">
      {TABS.map((tab) => (
        <button
          key={tab}
          type="button"
          class="tab"
          data-testid={`tab-${tab}`}
          aria-current={explorer.view.value.tab === tab}
          onClick={() => explorer.set({ tab })}
        >
          {TAB_NAMES[tab]}
        </button>
      ))}
    </nav>
  );
}

/** Each score is a way to the samples that it is of. */
function Scores({ explorer, headline }: { explorer: Explorer; headline: Headline }) {
  const others = (state: string): string[] =>
    explorer.run.states.map(({ name }) => name).filter((name) => name !== state);
  const wrong = headline.upward ? { low: null, high: 0 } : { low: 1, high: null };
  return (
    <div class="headline" data-testid="headline" role="group" aria-label="How good the model is">
      <span class="headline-name">{formatName(headline.label)}</span>
      {headline.states.map(({ state, value, wrong: count }) => (
        <span key={state} class="headline-state">
          <button
            type="button"
            class="link"
            title={`Show ${state}`}
            onClick={() => explorer.set({ tab: "map", hiddenStates: others(state) })}
          >
            {`${state} ${formatRounded(value)}`}
          </button>
          {count !== null && count > 0 && (
            <button
              type="button"
              class="link wrong"
              title={`Show what is wrong of ${state}`}
              onClick={() => {
                explorer.set({ tab: "map", hiddenStates: others(state) });
                explorer.setFilter(headline.column, wrong);
              }}
            >
              {`${formatCount(count)} wrong`}
            </button>
          )}
        </span>
      ))}
      {(["best", "worst"] as const).map((which) => {
        const found = headline[which];
        return (
          found && (
            <button
              key={which}
              type="button"
              class="link"
              title={`The ${which} of ${headline.judged}`}
              onClick={() => {
                explorer.set({ tab: "map", hiddenStates: others(headline.judged) });
                explorer.setFilter(found.column, { keep: [found.name] });
              }}
            >
              {`${which}: ${found.name} ${formatRounded(found.value)}`}
            </button>
          )
        );
      })}
    </div>
  );
}
