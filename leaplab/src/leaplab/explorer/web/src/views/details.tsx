/** The panel of the open sample: what it looks like, how the model did, what is known of it. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { Column, Instance, Run, Sample, Visual } from "../api/client";
import { type BarData, Bars } from "../charts/bars";
import type { Answer, Explorer } from "../state/explorer";
import { Better } from "../ui/better";
import { formatName, formatValue, groupName } from "../ui/format";
import { Instances } from "./instances";
import { SampleTags } from "./tags";

/** Pixels that a panel's picture may take in width; small pictures grow by whole factors up to about this height. */
const PICTURE_WIDTH = 320;
const SMALL_PICTURE = 224;
const SCORES = "Loss and metrics";
const FIRST_SCORES = 6;

export function Details({ explorer }: { explorer: Explorer }) {
  const row = explorer.row.value;
  if (row === null) return null;
  const sample = explorer.sample.value;
  const visuals = explorer.visuals.value;
  const known = sample?.state === "here" ? sample.value : null;
  const hasBars = visuals?.state === "here" && visuals.value.some(isBars);
  return (
    // Another sample begins at the top of the panel again.
    <aside key={row} class="details" data-testid="details" aria-label="Selected sample">
      <Head explorer={explorer} title={known?.sample_id ?? `Sample ${row}`} state={known?.state ?? null} />
      <SampleTags explorer={explorer} row={row} />
      {sample && (
        <Waited answer={sample} waiting={"Loading the sample\u2026"} retry={() => explorer.reopen()}>
          {(value) => <Scores sample={value} run={explorer.run} />}
        </Waited>
      )}
      {visuals && (
        <Waited answer={visuals} waiting={"Drawing the visualizers\u2026"} retry={() => explorer.reopen()}>
          {(value) => (
            <div class="visuals">
              {value.map((visual) => (
                <Picture key={visual.name} visual={visual} />
              ))}
            </div>
          )}
        </Waited>
      )}
      {known && <Explained explorer={explorer} sample={known} />}
      <Similar explorer={explorer} />
      {known && visuals && visuals.state !== "waiting" && !hasBars && <Predictions sample={known} />}
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

interface WaitedProps<T> {
  answer: Answer<T>;
  waiting: string;
  retry: () => void;
  children: (value: T) => ComponentChildren;
}

/** A request's progress, then its result or its error with a retry. */
function Waited<T>({ answer, waiting, retry, children }: WaitedProps<T>) {
  if (answer.state === "here") return <>{children(answer.value)}</>;
  if (answer.state === "waiting") {
    return (
      <p class="waiting" role="status">
        <span class="spinner" />
        {waiting}
      </p>
    );
  }
  return (
    <div class="panel-error" role="alert">
      <p>{answer.sentence}</p>
      <button type="button" class="button" onClick={retry}>
        Retry
      </button>
    </div>
  );
}

function Group({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="panel-group">
      <h3>{title}</h3>
      {children}
    </section>
  );
}

type Fact = [column: Column | undefined, label: string, value: unknown];

/** Groups of facts in the order of the columns. */
function factsOf(sample: Sample, run: Run): Map<string, Fact[]> {
  const columns = new Map(run.columns.map((column) => [column.name, column]));
  const groups = new Map<string, Fact[]>();
  for (const { column: name, value } of sample.values) {
    const column = columns.get(name);
    const of = column?.group ?? name.split(".")[0]!;
    if (of === "sample") continue;
    const title = of === "loss" || of === "metric" ? SCORES : groupName(of);
    groups.set(title, [...(groups.get(title) ?? []), [column, column?.label ?? name, value]]);
  }
  return groups;
}

/** How the model did comes first, before any picture; what is beyond the first few is folded. */
function Scores({ sample, run }: { sample: Sample; run: Run }) {
  const facts = factsOf(sample, run).get(SCORES);
  if (!facts) return null;
  const rest = facts.slice(FIRST_SCORES);
  return (
    <Group title={SCORES}>
      <FactTable facts={facts.slice(0, FIRST_SCORES)} />
      {rest.length > 0 && (
        <details class="more">
          <summary>{`${rest.length} more`}</summary>
          <FactTable facts={rest} />
        </details>
      )}
    </Group>
  );
}

function Facts({ sample, run }: { sample: Sample; run: Run }) {
  const groups = [...factsOf(sample, run)].filter(([title]) => title !== SCORES);
  return (
    <>
      {groups.map(([title, facts]) => (
        <Group key={title} title={title}>
          <FactTable facts={facts} />
        </Group>
      ))}
      {sample.instances.length > 0 && (
        <Group title="Instances">
          <Instances instances={sample.instances as unknown as Instance[]} known={run.instance_columns} />
        </Group>
      )}
    </>
  );
}

function FactTable({ facts }: { facts: Fact[] }) {
  return (
    <table class="facts">
      <tbody>
        {facts.map(([column, label, value]) => (
          <tr key={label}>
            <th scope="row">
              {formatName(label)}
              <Better direction={column?.direction} />
            </th>
            <td class={typeof value === "number" ? "number" : undefined} title={String(value ?? "")}>
              {formatValue(value)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Classes that are offered for a heat-map. */
const MOST_CLASSES = 20;

/** What raises and what lowers the loss or a class, when it is asked for. */
function Explained({ explorer, sample }: { explorer: Explorer; sample: Sample }) {
  const of = useSignal("loss");
  const heatmap = explorer.heatmap.value;
  const labels = sample.predictions[0]?.labels ?? [];
  return (
    <Group title="What raises it, what lowers it">
      <div class="explained">
        <select
          data-testid="explain-select"
          aria-label="Of what"
          value={of.value}
          onChange={(event) => {
            of.value = event.currentTarget.value;
          }}
        >
          <option value="loss">the loss</option>
          {labels.length > 1 && <option value="class:all">all classes</option>}
          {labels.slice(0, MOST_CLASSES).map((label) => (
            <option key={label} value={`class:${label}`}>{`class ${label}`}</option>
          ))}
        </select>
        <button type="button" class="button" data-testid="explain" onClick={() => explorer.explain(of.value)}>
          Draw
        </button>
      </div>
      {heatmap && (
        <Waited answer={heatmap} waiting={"Taking regions away\u2026"} retry={() => explorer.explain(of.value)}>
          {({ png, told }) => (
            <>
              {png && (
                <button
                  type="button"
                  class="picture-frame enlarge"
                  aria-label="Enlarge the heat-map"
                  onClick={() => enlarge("heat-map", png)}
                >
                  <img
                    src={png}
                    alt={`Heat-map of ${of.value}: red raises, blue lowers`}
                    class="picture"
                    data-testid="heatmap"
                  />
                </button>
              )}
              {told.map((sentence) => (
                <p key={sentence} class="scale-note">
                  {sentence}
                </p>
              ))}
            </>
          )}
        </Waited>
      )}
    </Group>
  );
}

/** What looks like it to the model, the nearest first. */
function Similar({ explorer }: { explorer: Explorer }) {
  const near = explorer.near.value;
  if (near === null) return null;
  return (
    <Group title="Similar to the model">
      <Waited answer={near} waiting={"Looking around\u2026"} retry={() => explorer.reopen()}>
        {(value) => (
          <div class="similar" data-testid="similar">
            {value.map(({ row, distance }) => (
              <button
                key={row}
                type="button"
                class="tile"
                title={`${distance.toPrecision(3)} away`}
                aria-label={`Open sample ${row}, ${distance.toPrecision(3)} away`}
                onClick={() => explorer.open(row)}
              >
                <img
                  src={explorer.thumbnail(row)}
                  alt=""
                  decoding="async"
                  onError={(event) => event.currentTarget.classList.add("missing")}
                />
              </button>
            ))}
          </div>
        )}
      </Waited>
      {near.state === "here" && (
        <button
          type="button"
          class="link"
          onClick={() =>
            explorer.select(
              near.value.map(({ row }) => row),
              "replace",
            )
          }
        >
          Select them
        </button>
      )}
    </Group>
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

function isBars(visual: Visual): boolean {
  return visual.type === "HorizontalBar" && Boolean(visual.data);
}

function Picture({ visual }: { visual: Visual }) {
  const name = formatName(visual.name);
  return (
    <figure class="visual" data-testid={`visual-${visual.name}`}>
      <figcaption>{name}</figcaption>
      {visual.error ? (
        <p class="visual-error">{visual.error}</p>
      ) : isBars(visual) ? (
        <Bars name={visual.name} data={visual.data as unknown as BarData} />
      ) : (
        <>
          <Moving name={name} data={visual.data as { gif?: string; wav?: string } | null | undefined} />
          <Still name={name} png={visual.png!} width={visual.width!} height={visual.height!} />
        </>
      )}
    </figure>
  );
}

/** A video's animation and an audio's sound, which its picture cannot show. */
function Moving({ name, data }: { name: string; data: { gif?: string; wav?: string } | null | undefined }) {
  const moves = data?.gif && !matchMedia("(prefers-reduced-motion: reduce)").matches;
  return (
    <>
      {moves && (
        <div class="picture-frame">
          <img src={data.gif} alt={`${name}, moving`} class="picture" />
        </div>
      )}
      {/* What an integration plays has no words that could be written. */}
      {/* biome-ignore lint/a11y/useMediaCaption: see above */}
      {data?.wav && <audio src={data.wav} controls preload="metadata" aria-label={name} class="sound" />}
    </>
  );
}

function Still({ name, png, width, height }: { name: string; png: string; width: number; height: number }) {
  const factor = Math.floor(Math.min(PICTURE_WIDTH / width, SMALL_PICTURE / height));
  const small = factor >= 2;
  const image = (
    <img
      src={png}
      alt={name}
      class={small ? "picture pixelated" : "picture"}
      width={small ? width * factor : width}
      height={small ? height * factor : height}
    />
  );
  if (small) return <div class="picture-frame">{image}</div>;
  return (
    <button
      type="button"
      class="picture-frame enlarge"
      aria-label={`Enlarge ${name}`}
      onClick={() => enlarge(name, png)}
    >
      {image}
    </button>
  );
}

function enlarge(name: string, png: string): void {
  const dialog = document.createElement("dialog");
  dialog.className = "lightbox";
  dialog.ariaLabel = name;
  const image = document.createElement("img");
  image.src = png;
  image.alt = name;
  dialog.append(image);
  dialog.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
