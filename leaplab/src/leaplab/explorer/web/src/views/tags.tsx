/** Tags: the list of them, the way to give samples one, and those of the open sample. */

import { useSignal } from "@preact/signals";
import { useEffect, useId, useLayoutEffect, useRef } from "preact/hooks";
import type { Tag } from "../api/client";
import type { Explorer } from "../state/explorer";
import { formatCount, formatSamples } from "../ui/format";

const LONGEST = 100;

/** All tags; a click selects a tag's samples. */
export function TagList({ explorer }: { explorer: Explorer }) {
  const answer = explorer.tags.all.value;
  const problem = explorer.tags.problem.value;
  if (answer.state === "waiting") return null;
  if (answer.state === "failed") return <p class="panel-error">{answer.sentence}</p>;
  return (
    <>
      {answer.value.length === 0 && <p class="scale-note">Select samples, then choose Tag above their pictures.</p>}
      <ul class="tags" data-testid="tags">
        {answer.value.map((tag) => (
          <Listed key={tag.name} explorer={explorer} tag={tag} />
        ))}
      </ul>
      {problem && (
        <p class="panel-error" role="alert">
          {problem}
        </p>
      )}
    </>
  );
}

function Listed({ explorer, tag }: { explorer: Explorer; tag: Tag }) {
  const changing = useSignal(false);
  const isOpen = explorer.view.value.tag === tag.name;
  return (
    <li>
      <div class="tag-line">
        <button
          type="button"
          class="tag-name"
          aria-pressed={isOpen}
          title={tag.name}
          onClick={() => explorer.chosen.openTag(tag.name)}
        >
          <span class="entry-name">{tag.name}</span>
          <span class="entry-count">{formatCount(tag.count)}</span>
        </button>
        <button
          type="button"
          class="close"
          aria-label={`Change the tag ${tag.name}`}
          title="Rename or delete"
          aria-expanded={changing.value}
          onClick={() => (changing.value = !changing.value)}
        >
          {"\u22ef"}
        </button>
      </div>
      {isOpen && tag.missing > 0 && (
        <p class="scale-note">
          {`${formatCount(tag.missing)} of ${formatCount(tag.count + tag.missing)} are not in this run; they are kept.`}
        </p>
      )}
      {changing.value && <Changing explorer={explorer} tag={tag} done={() => (changing.value = false)} />}
    </li>
  );
}

function Changing({ explorer, tag, done }: { explorer: Explorer; tag: Tag; done: () => void }) {
  const sure = useSignal(false);
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => field.current?.select(), []);
  return (
    <form
      class="tag-changing"
      onSubmit={(event) => {
        event.preventDefault();
        void explorer.tags.rename(tag.name, field.current!.value).then((renamed) => renamed && done());
      }}
    >
      <input
        ref={field}
        class="text-field"
        type="text"
        autocomplete="off"
        required
        maxLength={LONGEST}
        aria-label={`New name of ${tag.name}`}
        defaultValue={tag.name}
      />
      <button type="submit" class="button">
        Rename
      </button>
      <button
        type="button"
        class="button danger"
        onClick={() => {
          if (sure.value) void explorer.tags.delete(tag.name);
          else sure.value = true;
        }}
      >
        {sure.value ? `Delete: its ${formatSamples(tag.count + tag.missing)} stay` : "Delete"}
      </button>
    </form>
  );
}

/** Gives what the gallery shows, or what of it is selected, a tag. */
export function TagButton({ explorer }: { explorer: Explorer }) {
  const rows = explorer.chosen.rows.value;
  return (
    <Picker
      explorer={explorer}
      label="Tag"
      what={formatSamples(rows.length)}
      disabled={rows.length === 0}
      rows={() => explorer.chosen.rows.peek()}
    />
  );
}

/** The open sample's tags. */
export function SampleTags({ explorer, row }: { explorer: Explorer; row: number }) {
  const names = explorer.tags.ofSample.value;
  if (names === null) return null;
  return (
    <div class="sample-tags" data-testid="sample-tags" role="group" aria-label="Tags of this sample">
      {names.map((name) => (
        <span key={name} class="sample-tag">
          <button type="button" class="sample-tag-name" title={name} onClick={() => explorer.chosen.openTag(name)}>
            {name}
          </button>
          <button
            type="button"
            class="sample-tag-remove"
            aria-label={`Remove the tag ${name}`}
            title="Remove"
            onClick={() => void explorer.tags.change(name, "remove", [row])}
          >
            {"\u00d7"}
          </button>
        </span>
      ))}
      <Picker explorer={explorer} label="+ Tag" what="this sample" rows={() => [row]} below />
    </div>
  );
}

interface PickerProps {
  explorer: Explorer;
  label: string;
  /** "3 samples". */
  what: string;
  rows: () => Iterable<number>;
  disabled?: boolean;
  below?: boolean;
}

/** A button with the tags that are, and a field for a new one. */
function Picker({ explorer, label, what, rows, disabled = false, below = false }: PickerProps) {
  const open = useSignal(false);
  const told = useSignal("");
  const host = useRef<HTMLDivElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const id = useId();
  // Other samples are other words.
  useEffect(() => {
    told.value = "";
  }, [what]);
  useEffect(() => {
    const leave = (event: PointerEvent): void => {
      if (!host.current?.contains(event.target as Node)) open.value = false;
    };
    document.addEventListener("pointerdown", leave);
    return () => document.removeEventListener("pointerdown", leave);
  }, []);
  const change = async (name: string, how: "add" | "remove"): Promise<void> => {
    if (!(await explorer.tags.change(name, how, rows()))) return;
    told.value = `${what} ${how === "add" ? "in" : "no more in"} \u201c${name.trim()}\u201d`;
    open.value = false;
    opener.current?.focus();
  };
  return (
    <div
      ref={host}
      class="picker"
      role="group"
      aria-label={`Tag ${what}`}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !open.value) return;
        event.stopPropagation();
        open.value = false;
        opener.current?.focus();
      }}
    >
      <button
        ref={opener}
        type="button"
        class="link"
        aria-haspopup="dialog"
        aria-expanded={open.value}
        aria-controls={open.value ? id : undefined}
        disabled={disabled}
        onClick={() => {
          told.value = "";
          open.value = !open.value;
        }}
      >
        {label}
      </button>
      <span class="picker-told" role="status">
        {below ? "" : told.value}
      </span>
      {open.value && <Choice id={id} explorer={explorer} what={what} change={change} below={below} />}
    </div>
  );
}

interface ChoiceProps {
  id: string;
  explorer: Explorer;
  what: string;
  change: (name: string, how: "add" | "remove") => Promise<void>;
  below: boolean;
}

function Choice({ id, explorer, what, change, below }: ChoiceProps) {
  const field = useRef<HTMLInputElement>(null);
  const answer = explorer.tags.all.value;
  const problem = explorer.tags.problem.value;
  // Before the picture: what is typed at once goes into the field.
  useLayoutEffect(() => {
    explorer.tags.problem.value = null;
    field.current!.focus();
  }, []);
  return (
    <div id={id} class={below ? "popover below" : "popover"} role="dialog" aria-label={`Which tag for ${what}`}>
      <h3>{`Tag ${what}`}</h3>
      {answer.state === "here" && answer.value.length > 0 && (
        <ul class="popover-tags">
          {answer.value.map(({ name, count }) => (
            <li key={name} class="tag-line">
              <button type="button" class="tag-name" title={`Add to ${name}`} onClick={() => void change(name, "add")}>
                <span class="entry-name">{name}</span>
                <span class="entry-count">{formatCount(count)}</span>
              </button>
              <button
                type="button"
                class="close"
                aria-label={`Take from ${name}`}
                title="Take from it"
                onClick={() => void change(name, "remove")}
              >
                {"\u2212"}
              </button>
            </li>
          ))}
        </ul>
      )}
      <form
        class="popover-new"
        onSubmit={(event) => {
          event.preventDefault();
          void change(field.current!.value, "add");
        }}
      >
        <input
          ref={field}
          class="text-field"
          type="text"
          autocomplete="off"
          required
          maxLength={LONGEST}
          placeholder="New tag"
          aria-label="Name of a new tag"
        />
        <button type="submit" class="button">
          Add
        </button>
      </form>
      {answer.state === "failed" && <p class="panel-error">{answer.sentence}</p>}
      {problem && (
        <p class="panel-error" role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}
