/** The panel of the open sample: how the model did, what it looks like, what is known of it. */

import type { Panel, Sample } from "../../api/client";
import { Bars } from "../../charts/bars";
import type { Explorer } from "../../state/explorer";
import { formatName } from "../../ui/format";
import { SampleTags } from "../tags";
import { Explained } from "./explained";
import { Facts, Scores, VerdictLine } from "./facts";
import { arrange } from "./layers";
import { Objects } from "./objects";
import { isBars, isOverlaid, Pictures, shownLayer } from "./pictures";
import { LikeRegion } from "./region";
import { Similar } from "./similar";
import { Group, Waited } from "./waited";

export function Details({ explorer }: { explorer: Explorer }) {
  const row = explorer.panel.row.value;
  if (row === null) return null;
  const sample = explorer.panel.sample.value;
  const visuals = explorer.panel.visuals.value;
  const known = sample?.state === "here" ? sample.value : null;
  const seen: Panel | null = visuals?.state === "here" ? visuals.value : null;
  const hasBars = seen?.visuals.some(isBars) ?? false;
  return (
    // Another sample begins at the top of the panel again.
    <aside key={row} class="details" data-testid="details" aria-label="Selected sample">
      <Head explorer={explorer} title={known?.sample_id ?? `Sample ${row}`} state={known?.state ?? null} />
      {sample && (
        <Waited answer={sample} waiting={"Loading the sample\u2026"} retry={() => explorer.panel.reopen()}>
          {(value) => (
            <>
              <VerdictLine sample={value} run={explorer.run} />
              <Scores sample={value} run={explorer.run} />
            </>
          )}
        </Waited>
      )}
      <SampleTags explorer={explorer} row={row} />
      {seen?.changed && (
        <p class="changed" role="alert" data-testid="changed">
          {seen.changed}
        </p>
      )}
      {visuals && (
        <Waited answer={visuals} waiting={"Drawing the visualizers\u2026"} retry={() => explorer.panel.reopen()}>
          {(value) => <Pictures explorer={explorer} visuals={value.visuals} />}
        </Waited>
      )}
      {known && (
        <Explained
          explorer={explorer}
          sample={known}
          overlaid={seen !== null && isOverlaid(explorer, shownLayer(explorer, arrange(seen.visuals)))}
        />
      )}
      <Similar explorer={explorer} />
      {known && seen && arrange(seen.visuals).layers.length > 0 && <LikeRegion explorer={explorer} />}
      {known && visuals && visuals.state !== "waiting" && !hasBars && <Predictions sample={known} />}
      {known && <Objects explorer={explorer} sample={known} run={explorer.run} />}
      {known && <Facts sample={known} run={explorer.run} />}
    </aside>
  );
}

function Head({ explorer, title, state }: { explorer: Explorer; title: string; state: string | null }) {
  return (
    <header class="details-head">
      <h2 data-testid="details-title" title={title}>
        {title}
      </h2>
      {state && (
        <span class="badge" data-testid="details-state">
          {state}
        </span>
      )}
      <button
        type="button"
        class="close step"
        aria-label="Previous sample ([)"
        title="Previous ([)"
        onClick={() => explorer.step(-1)}
      >
        {"\u2039"}
      </button>
      <button
        type="button"
        class="close"
        aria-label="Next sample (])"
        title="Next (])"
        onClick={() => explorer.step(1)}
      >
        {"\u203a"}
      </button>
      <button
        type="button"
        class="close"
        aria-label="Close (Esc)"
        title="Close (Esc)"
        onClick={() => explorer.open(null)}
      >
        {"\u00d7"}
      </button>
    </header>
  );
}

/** Bars of the raw predictions, for integrations that draw none themselves. */
function Predictions({ sample }: { sample: Sample }) {
  return (
    <>
      {sample.predictions.map(({ name, labels, values }) => (
        <Group key={name} title={`Prediction: ${formatName(name)}`}>
          <Bars name={name} data={{ labels, values }} />
        </Group>
      ))}
    </>
  );
}
