/** A number that may be left out. */

import { useSignal } from "@preact/signals";

interface Props {
  value: number | null | undefined;
  /** Called when a number has been typed, or taken away. */
  change: (value: number | null) => void;
  label: string;
  placeholder: string;
  testId?: string;
}

export function NumberField({ value, change, label, placeholder, testId }: Props) {
  // What is being typed stays when something else on the page makes it draw this anew.
  const typed = useSignal<string | null>(null);
  return (
    <input
      type="number"
      step="any"
      aria-label={label}
      placeholder={placeholder}
      data-testid={testId}
      value={typed.value ?? value ?? ""}
      onInput={(event) => {
        typed.value = event.currentTarget.value;
      }}
      onChange={(event) => {
        const text = event.currentTarget.value;
        typed.value = null;
        if (text === "" || Number.isFinite(Number(text))) change(text === "" ? null : Number(text));
      }}
    />
  );
}
