/** The page. */

import { useEffect, useMemo } from "preact/hooks";
import type { Explorer } from "../state/explorer";
import { Planning } from "../state/planning";
import { Splitter } from "../ui/splitter";
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

export function App({ explorer }: { explorer: Explorer }) {
  const planning = useMemo(() => new Planning(explorer), []);
  const { tab } = explorer.view.value;
  useEffect(() => {
    explorer.start();
    planning.start();
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
      if (explorer.view.peek().tab !== "map") return;
      if (event.key === "Escape") explorer.open(null);
      if (event.key === "[") explorer.step(-1);
      if (event.key === "]") explorer.step(1);
    });
  }, []);
  return (
    <>
      <a class="skip" href={tab === "map" ? "#controls" : "#plan"}>
        {tab === "map" ? "Skip to the controls" : "Skip to the question"}
      </a>
      <Header explorer={explorer} />
      <Filters explorer={explorer} />
      <div class="views">
        {/* The map stays as it is behind the other views, so that coming back takes no time. */}
        <main class={tab === "map" ? "layout" : "layout behind"} inert={tab !== "map"}>
          <Sidebar explorer={explorer} />
          <div class="middle">
            <Toolbar explorer={explorer} />
            <div class="population" data-testid="population">
              <MapView explorer={explorer} />
              <Legend explorer={explorer} />
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
