/** The controls: what is wrong, the states, and every column. Folded away they are a rail. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Explorer } from "../state/explorer";
import { formatCount } from "../ui/format";
import { Splitter } from "../ui/splitter";
import { Columns } from "./columns";
import { Insights } from "./insights";
import { TagList } from "./tags";

const SECTIONS = [
  { title: "Insights", sign: "!", Content: Insights },
  { title: "Tags", sign: "#", Content: TagList },
  { title: "States", sign: "\u25d4", Content: States },
  { title: "Columns", sign: "\u2261", Content: Columns },
] as const;

export function Sidebar({ explorer }: { explorer: Explorer }) {
  const { layout } = explorer;
  const wanted = useRef<string | null>(null);
  const open = layout.controls.value;
  const over = layout.isNarrow.value;
  useEffect(() => {
    if (!open || wanted.current === null) return;
    const section = document.getElementById(`section-${wanted.current}`);
    section?.scrollIntoView();
    section?.focus();
    wanted.current = null;
  }, [open]);
  return (
    <div id="controls" class="controls" tabIndex={-1}>
      {(over || !open) && (
        <nav class="rail" aria-label="Controls" data-testid="rail">
          {SECTIONS.map(({ title, sign }) => (
            <button
              key={title}
              type="button"
              class="rail-button"
              aria-expanded={open}
              onClick={() => {
                wanted.current = title;
                layout.openControls(!open);
              }}
            >
              <span aria-hidden="true">{sign}</span>
              {title}
            </button>
          ))}
        </nav>
      )}
      {open && (
        <aside
          class={over ? "sidebar over" : "sidebar"}
          style={{ width: `${layout.sizes.controls.value}px` }}
          aria-label="Map controls"
          onKeyDown={(event) => {
            if (event.key !== "Escape" || !over) return;
            event.stopPropagation();
            layout.openControls(false);
          }}
        >
          <button
            type="button"
            class="fold"
            aria-label="Fold the controls"
            title="Fold the controls"
            data-testid="fold"
            onClick={() => layout.openControls(false)}
          >
            {"\u00ab"}
          </button>
          {SECTIONS.map(({ title, Content }) => (
            <Section key={title} title={title}>
              <Content explorer={explorer} />
            </Section>
          ))}
        </aside>
      )}
      {open && !over && <Splitter layout={layout} part="controls" label="Width of the controls" side="right" />}
    </div>
  );
}

function Section({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section id={`section-${title}`} class="control-group" tabIndex={-1}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function States({ explorer }: { explorer: Explorer }) {
  const hidden = explorer.view.value.hiddenStates;
  const toggled = (name: string): string[] =>
    hidden.includes(name) ? hidden.filter((one) => one !== name) : [...hidden, name];
  return (
    <div class="chips" role="group" aria-label="States shown">
      {explorer.run.states.map(({ name, count }) => (
        <button
          key={name}
          type="button"
          class="chip"
          data-testid={`state-${name}`}
          aria-pressed={!hidden.includes(name)}
          onClick={() => explorer.set({ hiddenStates: toggled(name) })}
        >
          <span class="chip-mark" aria-hidden="true" />
          <span class="chip-name">{name}</span>
          <span class="chip-count">{formatCount(count)}</span>
        </button>
      ))}
    </div>
  );
}
