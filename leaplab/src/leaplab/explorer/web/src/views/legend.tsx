/** What the colours and sizes on the map stand for. It is docked beside the map, never over its points. */

import type { Scale } from "../api/client";
import { type ColourEncoding, colourPosition, MISSING } from "../points/scales";
import type { Explorer } from "../state/explorer";
import { formatCount, formatName, formatRounded } from "../ui/format";

export function Legend({ explorer }: { explorer: Explorer }) {
  const painted = explorer.map.painted.value;
  if (!painted) {
    const { colour, size } = explorer.view.value;
    // It takes its room from the start: a map that is seen already must not move.
    return colour === null && size === null ? null : <div class="legend" />;
  }
  const { encoding, values } = painted.colour;
  const colours = explorer.map.colours.value;
  if (encoding.kind === "none" && !painted.size) return null;
  return (
    // It scrolls where it is long, so it has to be reached by the keyboard.
    <aside class="legend" data-testid="legend" aria-label="Legend" tabIndex={0}>
      {values && <h2 title={values.column.name}>{formatName(values.column.label)}</h2>}
      {encoding.kind === "categorical" && <Categories explorer={explorer} encoding={encoding} colours={colours} />}
      {encoding.kind === "continuous" && <Gradient scale={encoding.scale} colours={colours} />}
      {painted.size && (
        <div class="size-key">
          <h2 title={painted.size.values.column.name}>{`Size: ${formatName(painted.size.values.column.label)}`}</h2>
          <Sizes scale={painted.size.values.scale} />
        </div>
      )}
    </aside>
  );
}

type Categorical = Extract<ColourEncoding, { kind: "categorical" }>;

function Categories(props: { explorer: Explorer; encoding: Categorical; colours: string[] }) {
  const { explorer, encoding, colours } = props;
  const hidden = explorer.view.value.hiddenCategories;
  const counts = explorer.map.entryCounts.value;
  const hide = (keys: string[]): void => explorer.set({ hiddenCategories: keys });
  const click = (key: string, clicks: number): void => {
    if (clicks === 2) hide(encoding.entries.map((entry) => entry.key).filter((other) => other !== key));
    else hide(hidden.includes(key) ? hidden.filter((other) => other !== key) : [...hidden, key]);
  };
  return (
    <>
      <ul class="entries">
        {encoding.entries.map(({ key, label }, slot) => (
          <li key={key}>
            <button
              type="button"
              class="entry"
              aria-pressed={!hidden.includes(key)}
              title={`${label}: click to show or hide, double-click to show only this one`}
              onClick={(event) => click(key, event.detail)}
            >
              <Swatch colour={colours[slot]!} absent={key === MISSING} />
              <span class="entry-name">{label}</span>
              <span class="entry-count">{formatCount(counts[slot] ?? 0)}</span>
            </button>
          </li>
        ))}
      </ul>
      {hidden.length > 0 && (
        <button type="button" class="link" onClick={() => hide([])}>
          Show all
        </button>
      )}
    </>
  );
}

export function Swatch({ colour, absent = false }: { colour: string; absent?: boolean }) {
  return <span class={absent ? "swatch absent" : "swatch"} style={{ "--colour": colour }} />;
}

function Gradient({ scale, colours }: { scale: Scale; colours: string[] }) {
  const stops = Array.from({ length: 17 }, (_, stop) => colours[Math.round((stop * 255) / 16)]);
  return (
    <div class="scale">
      <div class="gradient" style={{ background: `linear-gradient(to right, ${stops.join(", ")})` }}>
        <span class="median-mark" style={{ left: `${colourPosition(scale.median, scale) * 100}%` }} />
      </div>
      <div class="ticks">
        <span>{(scale.min < scale.low ? "\u2264 " : "") + formatRounded(scale.low)}</span>
        <span>{(scale.max > scale.high ? "\u2265 " : "") + formatRounded(scale.high)}</span>
      </div>
      <p class="scale-note">{`median ${formatRounded(scale.median)}${scale.crowd ? ", cube-root scale" : ""}`}</p>
      {scale.absent > 0 && (
        <div class="entry still">
          <Swatch colour={colours.at(-1)!} absent />
          <span class="entry-name">absent</span>
          <span class="entry-count">{formatCount(scale.absent)}</span>
        </div>
      )}
    </div>
  );
}

function Sizes({ scale }: { scale: Scale }) {
  return (
    <div class="size-row">
      <span class="size-dot small" />
      <span>{formatRounded(scale.low)}</span>
      <span class="size-line" />
      <span class="size-dot large" />
      <span>{formatRounded(scale.high)}</span>
    </div>
  );
}
