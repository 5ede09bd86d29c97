/** Five tips for a first visit, each beside what it is about. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Explorer } from "../state/explorer";
import { remember, remembered } from "../state/layout";

const SEEN = "tour";
const WIDTH = 300;
const GAP = 10;

const TIPS = [
  ["headline", "How good it is", "The score of each state. A click shows what is wrong, or the worst class."],
  [
    "insights",
    "What is wrong",
    "Found by itself, the most severe first. A click selects the samples and says what to do.",
  ],
  ["map", "The map", "Alike samples lie together. Click a point to open it, Shift-drag around many to select them."],
  [
    "gallery",
    "The pictures",
    "What is selected, else what is shown, the worst first. Square brackets step through them.",
  ],
  ["open-search", "Find anything", "Ctrl K finds columns, samples and actions. All of it works by keyboard."],
] as const;

export function Tour({ explorer }: { explorer: Explorer }) {
  const tip = explorer.tip.value;
  const hasMap = explorer.map.painted.value !== null;
  const isOnMap = explorer.view.value.tab === "map";
  const { headline } = explorer;
  useEffect(() => {
    if (hasMap && isOnMap && remembered(SEEN) === null) explorer.tip.value = 0;
  }, [hasMap, isOnMap]);
  const end = (): void => {
    remember(SEEN, "seen");
    explorer.tip.value = null;
  };
  const place = useSignal<DOMRect | null>(null);
  const [target, title, text] = TIPS[tip ?? 0]!;
  useEffect(() => {
    if (tip === null) return;
    const measure = (): void => {
      place.value = document.querySelector(`[data-testid="${target}"]`)?.getBoundingClientRect() ?? null;
    };
    measure();
    window.addEventListener("resize", measure);
    return () => window.removeEventListener("resize", measure);
    // Parts of the page come one after another.
  }, [tip, headline.value]);
  if (tip === null || !isOnMap) return null;
  const next = (): void => {
    if (isLast) end();
    else explorer.tip.value = tip + 1;
  };
  const isLast = tip === TIPS.length - 1;
  return (
    <>
      {place.value && <div class="tour-ring" style={around(place.value)} />}
      <section class="tour" style={beside(place.value)} aria-label="Tour" data-testid="tour">
        <h2>{title}</h2>
        <p role="status">{text}</p>
        <div class="tour-foot">
          <span>{`${tip + 1} of ${TIPS.length}`}</span>
          {!isLast && (
            <button type="button" class="link" onClick={end}>
              Skip
            </button>
          )}
          <button type="button" class="button" onClick={next}>
            {isLast ? "Done" : "Next"}
          </button>
        </div>
      </section>
    </>
  );
}

function around({ left, top, width, height }: DOMRect): Record<string, string> {
  return { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` };
}

/** Below what it is about where there is room, else above its lower edge; in the middle where that is not on the page. */
function beside(place: DOMRect | null): Record<string, string> {
  const left = place ? Math.max(GAP, Math.min(place.left + GAP, window.innerWidth - WIDTH - GAP)) : GAP;
  if (!place) return { left: `${left}px`, top: "40%" };
  const room = window.innerHeight - place.bottom > 160;
  return room
    ? { left: `${left}px`, top: `${place.bottom + GAP}px` }
    : { left: `${left}px`, bottom: `${Math.max(GAP, window.innerHeight - Math.max(place.top, 170) + GAP)}px` };
}
