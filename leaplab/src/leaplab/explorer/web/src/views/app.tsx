/** The page. */

import { useEffect, useMemo } from "preact/hooks";
import { Boards } from "../state/boards";
import type { Explorer } from "../state/explorer";
import { Planning } from "../state/planning";
import type { Tab } from "../state/view";
import { Splitter } from "../ui/splitter";
import { BoardView } from "./board/board";
import { Filters } from "./filters";
import { Gallery } from "./gallery";
import { Header } from "./header";
import { Legend } from "./legend";
import { MapView } from "./map";
import { Details } from "./panel/details";
import { Plan } from "./plan/plan";
import { Search } from "./search";
import { Sidebar } from "./sidebar";
import { Toolbar } from "./toolbar";
import { Tooltip } from "./tooltip";
import { Tour } from "./tour";

const SKIP: Record<Tab, { to: string; told: string }> = {
  map: { to: "#controls", told: "Skip to the controls" },
  plan: { to: "#plan", told: "Skip to the question" },
  charts: { to: "#board", told: "Skip to the charts" },
};

export function App({ explorer }: { explorer: Explorer }) {
  const planning = useMemo(() => new Planning(explorer), []);
  const boards = useMemo(() => new Boards(explorer), []);
  const { tab } = explorer.view.value;
  useEffect(() => {
    explorer.start();
    planning.start();
    boards.start();
    window.addEventListener("keydown", (event) => {
      if (document.querySelector("dialog[open]")) return;
      if (event.key === "k" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        explorer.searching.value = "";
      }
      if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "/") {
        event.preventDefault();
        explorer.searching.value = "";
      }
      if (explorer.view.peek().tab === "plan") return;
      if (event.key === "Escape") explorer.open(null);
      if (event.key === "[") explorer.step(-1);
      if (event.key === "]") explorer.step(1);
    });
  }, []);
  return (
    <>
      <a class="skip" href={SKIP[tab].to}>
        {SKIP[tab].told}
      </a>
      <Header explorer={explorer} />
      <Filters explorer={explorer} />
      <div class="views">
        {/* The map stays as it is behind the other views, so that coming back takes no time. */}
        <main class={tab === "plan" ? "layout behind" : "layout"} inert={tab === "plan"}>
          <Sidebar explorer={explorer} />
          <div class="middle">
            <div class="looked-at">
              <div class={tab === "charts" ? "mapped behind" : "mapped"} inert={tab === "charts"}>
                <Toolbar explorer={explorer} />
                <div class="population" data-testid="population">
                  <MapView explorer={explorer} />
                  <Legend explorer={explorer} />
                </div>
              </div>
              {tab === "charts" && <BoardView boards={boards} />}
            </div>
            <Gallery explorer={explorer} />
          </div>
          <Panel explorer={explorer} />
        </main>
        {tab === "plan" && <Plan planning={planning} />}
      </div>
      <Tooltip explorer={explorer} />
      <Search explorer={explorer} />
      <Tour explorer={explorer} />
    </>
  );
}

/** The open sample, as wide as a person made it. */
function Panel({ explorer }: { explorer: Explorer }) {
  const { layout } = explorer;
  if (explorer.panel.row.value === null) return null;
  return (
    <div class="panel" style={{ width: `${layout.sizes.details.value}px` }}>
      <Splitter layout={layout} part="details" label="Width of the sample's panel" side="left" />
      <Details explorer={explorer} />
    </div>
  );
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
}
