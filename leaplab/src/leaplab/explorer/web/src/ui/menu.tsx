/** A button that unfolds others. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

export interface MenuEntry {
  label: string;
  act: () => void;
  testId?: string;
  disabled?: boolean;
  /** It is one of a kind apart from those before it. */
  apart?: boolean;
}

export function Menu({
  label,
  text,
  entries,
  testId,
}: {
  label: string;
  text: string;
  entries: MenuEntry[];
  testId: string;
}) {
  const open = useSignal(false);
  const host = useRef<HTMLDivElement>(null);
  const close = (back: boolean): void => {
    open.value = false;
    if (back) host.current?.querySelector("button")?.focus();
  };
  useEffect(() => {
    if (!open.value) return undefined;
    host.current!.querySelector<HTMLElement>("[role=menuitem]:not(:disabled)")?.focus();
    const outside = (event: Event): void => {
      if (!host.current?.contains(event.target as Node)) close(false);
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open.value]);
  const step = (by: number): void => {
    const items = [...host.current!.querySelectorAll<HTMLElement>("[role=menuitem]:not(:disabled)")];
    const at = items.indexOf(document.activeElement as HTMLElement);
    items[(at + by + items.length) % items.length]?.focus();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys are those of the menu in it.
    <div
      ref={host}
      class="menu"
      onKeyDown={(event) => {
        if (!open.value) return;
        if (event.key === "Escape" || event.key === "Tab") close(event.key === "Escape");
        if (event.key === "ArrowDown" || event.key === "ArrowUp") step(event.key === "ArrowDown" ? 1 : -1);
        if (["Escape", "ArrowDown", "ArrowUp"].includes(event.key)) {
          event.preventDefault();
          event.stopPropagation();
        }
      }}
    >
      <button
        type="button"
        class="menu-button"
        aria-haspopup="menu"
        aria-expanded={open.value}
        aria-label={label}
        title={label}
        data-testid={testId}
        onClick={() => {
          open.value = !open.value;
        }}
      >
        {text}
      </button>
      {open.value && (
        <div class="menu-list" role="menu" aria-label={label}>
          {entries.map(({ label: name, act, testId: id, disabled, apart }) => (
            <button
              key={name}
              type="button"
              role="menuitem"
              class={apart ? "menu-entry apart" : "menu-entry"}
              data-testid={id}
              disabled={disabled ?? false}
              onClick={() => {
                close(true);
                act();
              }}
            >
              {name}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
