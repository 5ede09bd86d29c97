/** The page. */

import { useEffect } from "preact/hooks";
import type { Explorer } from "../state/explorer";
import { Filters } from "./columns";
import { Details } from "./details";
import { Gallery } from "./gallery";
import { Header } from "./header";
import { Legend } from "./legend";
import { MapView } from "./map";
import { Sidebar } from "./sidebar";
import { Tooltip } from "./tooltip";

export function App({ explorer }: { explorer: Explorer }) {
  useEffect(() => {
    explorer.start();
    window.addEventListener("keydown", (event) => {
      if (event.target instanceof HTMLInputElement || document.querySelector("dialog[open]")) return;
      if (event.key === "Escape") explorer.open(null);
      if (event.key === "[") explorer.step(-1);
      if (event.key === "]") explorer.step(1);
    });
  }, []);
  return (
    <>
      <a class="skip" href="#controls">
        Skip to the controls
      </a>
      <Header explorer={explorer} />
      <main class="layout">
        <Sidebar explorer={explorer} />
        <div class="middle">
          <Filters explorer={explorer} />
          <div class="population" data-testid="population">
            <MapView explorer={explorer} />
            <Legend explorer={explorer} />
          </div>
          <Gallery explorer={explorer} />
        </div>
        <Details explorer={explorer} />
      </main>
      <Tooltip explorer={explorer} />
    </>
  );
}
