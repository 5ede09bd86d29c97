/** Asks for the run and shows it. */

import "./tokens.css";
import "./charts/charts.css";
import "./styles.css";
import { effect, signal } from "@preact/signals";
import { render } from "preact";
import { getRun } from "./api/client";
import type { PopulationMap } from "./points/map";
import { sentenceOf } from "./state/answer";
import { Explorer } from "./state/explorer";
import { nextPicture } from "./state/map";
import { App } from "./views/app";

/** The page's handle for tests and the console. */
export interface Handle {
  /** Settles when the view that was asked for last is on the map. */
  readonly ready: Promise<void>;
  readonly samples: number;
  /** Name of the column that gives the colour. */
  readonly colour: string | null;
  /** [x, y] in client coordinates. */
  screenPosition(row: number): [number, number] | undefined;
  select(row: number | null): void;
}

declare global {
  interface Window {
    explorer: Handle | undefined;
    map: PopulationMap | undefined;
  }
}

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const page = document.getElementById("page")!;

async function start(): Promise<void> {
  render(
    <p class="message loading" role="status">
      {"Loading the run\u2026"}
    </p>,
    page,
  );
  try {
    const explorer = new Explorer(await getRun());
    const prefersDark = signal(dark.matches);
    dark.addEventListener("change", () => {
      prefersDark.value = dark.matches;
    });
    effect(() => {
      const scheme = explorer.layout.scheme.value;
      explorer.theme.value = scheme === "auto" ? (prefersDark.value ? "dark" : "light") : scheme;
      document.documentElement.dataset.scheme = explorer.theme.value;
    });
    document.title = `${explorer.run.name} \u2013 population explorer`;
    render(<App explorer={explorer} />, page);
    await nextPicture();
    window.explorer = handleOf(explorer);
  } catch (error) {
    render(
      <div class="message failed" role="alert">
        <p>{sentenceOf(error)}</p>
        <button type="button" class="button" onClick={() => void start()}>
          Retry
        </button>
      </div>,
      page,
    );
  }
}

function handleOf(explorer: Explorer): Handle {
  return {
    get ready() {
      return explorer.map.ready;
    },
    samples: explorer.run.samples,
    get colour() {
      return explorer.map.painted.peek()?.colour.values?.column.name ?? null;
    },
    screenPosition: (row) => window.map?.screenPosition(row),
    select: (row) => explorer.open(row),
  };
}

void start();
