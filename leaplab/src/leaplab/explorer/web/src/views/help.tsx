/** Every key, in one list. */

import { useRef } from "preact/hooks";
import type { Explorer } from "../state/explorer";

const KEYS = [
  ["Ctrl K, /", "Search columns, samples and actions"],
  ["[ and ]", "The previous and the next sample, in the gallery's order"],
  ["Esc", "Close the sample"],
  ["On the map: arrows, + and \u2212, 0", "Move it, zoom, show all of it"],
  ["Z", "Zoom to what is selected or filtered"],
  ["Enter, Shift and an arrow", "Open the sample in the middle, the next one in that direction"],
  ["Drag, scroll", "Move the map and zoom with a mouse"],
  ["Shift-drag", "Draw around samples to select them; with Alt to take them away"],
  ["In the gallery: arrows, Enter", "Go from picture to picture, open one"],
  ["Space, Shift Space", "Select a picture, and all from the last one on"],
  ["On a chart: arrows, Home, End", "Go from mark to mark"],
  ["Enter, Shift Enter on a mark", "Filter by it, by it as well"],
  ["\u2190 \u2192 on a line between parts", "Make a part wider or narrower"],
] as const;

export function Help({ explorer }: { explorer: Explorer }) {
  const dialog = useRef<HTMLDialogElement>(null);
  return (
    <>
      <button
        type="button"
        class="header-button"
        aria-label="Keys, and a tour"
        title="Keys, and a tour"
        data-testid="help"
        onClick={() => dialog.current?.showModal()}
      >
        ?
      </button>
      <dialog ref={dialog} class="help" aria-label="Keys">
        <h2>Keys</h2>
        <dl>
          {KEYS.map(([keys, what]) => (
            <div key={keys}>
              <dt>{keys}</dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
        <div class="help-foot">
          <button
            type="button"
            class="link"
            onClick={() => {
              dialog.current?.close();
              explorer.tip.value = 0;
            }}
          >
            Take the tour
          </button>
          <button type="button" class="button" onClick={() => dialog.current?.close()}>
            Close
          </button>
        </div>
      </dialog>
    </>
  );
}
