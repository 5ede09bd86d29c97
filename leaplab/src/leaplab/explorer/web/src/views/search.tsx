/** One field that finds columns, samples, insights and whatever the page can do. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { actionsOf, matching } from "../state/actions";
import type { Explorer } from "../state/explorer";

export function Search({ explorer }: { explorer: Explorer }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const text = explorer.searching.value;
  useEffect(() => {
    if (text === null) dialog.current?.close();
    else if (!dialog.current?.open) dialog.current?.showModal();
  }, [text === null]);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a dialog by itself.
    <dialog
      ref={dialog}
      class="search"
      aria-label="Search"
      onClose={() => {
        if (!dialog.current?.open) explorer.searching.value = null;
      }}
      onClick={(event) => {
        if (event.target === dialog.current) explorer.searching.value = null;
      }}
    >
      {text !== null && <Found explorer={explorer} text={text} close={() => dialog.current?.close()} />}
    </dialog>
  );
}

function Found({ explorer, text, close }: { explorer: Explorer; text: string; close: () => void }) {
  const place = useSignal(0);
  const answer = useSignal("");
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    field.current?.focus();
    field.current?.setSelectionRange(text.length, text.length);
  }, []);
  const wanted = text.trim();
  const found = matching(actionsOf(explorer), wanted);
  const names = found.map(({ name, group }) => ({ name, group }));
  const listed = wanted ? [...names, { name: `Go to the sample \u201c${wanted}\u201d`, group: "Sample" }] : names;
  const at = Math.min(place.value, listed.length - 1);
  const run = async (each: number): Promise<void> => {
    const sentence = each === found.length ? await explorer.find(wanted) : null;
    answer.value = sentence ?? "";
    if (sentence !== null) return;
    // Closed first: a dialog that closes gives the focus back to where it was.
    close();
    explorer.searching.value = null;
    if (found[each]?.isOfMap) explorer.set({ tab: "map" });
    found[each]?.act();
  };
  return (
    <>
      <input
        ref={field}
        role="combobox"
        autocomplete="off"
        spellcheck={false}
        placeholder="Find a column, a sample, an action"
        aria-label="Search"
        aria-expanded="true"
        aria-controls="search-found"
        aria-activedescendant={listed.length ? `search-${at}` : undefined}
        data-testid="search"
        value={text}
        onInput={(event) => {
          explorer.searching.value = event.currentTarget.value;
          place.value = 0;
          answer.value = "";
        }}
        onKeyDown={(event) => {
          const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
          if (step !== undefined) {
            event.preventDefault();
            place.value = (at + step + listed.length) % listed.length;
            document.getElementById(`search-${place.value}`)?.scrollIntoView({ block: "nearest" });
          }
          if (event.key === "Enter" && at >= 0) {
            // Else it clicks what the closed dialog gives the focus back to.
            event.preventDefault();
            void run(at);
          }
        }}
      />
      <p class="field-note" role="status">
        {answer.value}
      </p>
      <div id="search-found" class="search-found" role="listbox" aria-label="Found">
        {listed.map(({ name, group }, each) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the field's.
          <div
            key={`${group} ${name}`}
            id={`search-${each}`}
            role="option"
            tabIndex={-1}
            aria-selected={each === at}
            onClick={() => void run(each)}
          >
            <span class="entry-name">{name}</span>
            <span class="entry-count">{group}</span>
          </div>
        ))}
      </div>
    </>
  );
}
