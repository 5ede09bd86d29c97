/** What the visualizers show: images in one frame, one at a time, with heat-map and outlines over them; the rest beside. */

import { computed } from "@preact/signals";
import type { Outline, Visual } from "../../api/client";
import { type BarData, Bars } from "../../charts/bars";
import type { Explorer } from "../../state/explorer";
import { formatName } from "../../ui/format";
import { enlarge } from "./enlarge";
import { type Arranged, arrange, fits, frameOf, type Layer } from "./layers";
import { boxesOf, keyOfBox, keyOfInstance } from "./objects";
import { RegionDrawing } from "./region";

/** CSS pixels for an image, and for a small one beside which there is room. */
const MOST = [326, 236];
const MOST_SMALL = [142, 142];
const SMALL = 71;

export function isBars(visual: Visual): boolean {
  return visual.type === "HorizontalBar" && Boolean(visual.data);
}

/** The layer that is shown: the one that was chosen last where this sample has it, else the first. */
export function shownLayer(explorer: Explorer, { layers }: Arranged): Layer | null {
  const chosen = explorer.panel.picture.value;
  return layers.find(({ visual }) => visual.name === chosen) ?? layers[0] ?? null;
}

/** Whether the heat-map that was drawn can lie over the layer that is shown. */
export function isOverlaid(explorer: Explorer, layer: Layer | null): boolean {
  const heatmap = explorer.panel.heatmap.value;
  if (!layer || heatmap?.state !== "here" || !heatmap.value.overlay || !heatmap.value.size) return false;
  return fits(heatmap.value.size, layer.placed.size);
}

export function Pictures({ explorer, visuals }: { explorer: Explorer; visuals: Visual[] }) {
  const arranged = arrange(visuals);
  const layer = shownLayer(explorer, arranged);
  const small = layer !== null && Math.max(...layer.placed.size) <= SMALL && arranged.others.some(isBars);
  return (
    <div class={small ? "visuals small" : "visuals"}>
      {layer && (
        <div class="images">
          <Choice
            label="Pictures"
            names={arranged.layers.map(({ visual }) => visual.name)}
            chosen={layer.visual.name}
            choose={(name) => {
              explorer.panel.picture.value = name;
            }}
          />
          <Frame explorer={explorer} layer={layer} most={small ? MOST_SMALL : MOST} />
        </div>
      )}
      <Others explorer={explorer} others={arranged.others} />
    </div>
  );
}

/** Buttons of which one is pressed; nothing to choose, nothing to press. */
function Choice(props: { label: string; names: string[]; chosen: string; choose: (name: string) => void }) {
  const { label, names, chosen, choose } = props;
  if (names.length === 1) return <p class="choice-name">{formatName(names[0]!)}</p>;
  return (
    <div class="choice" role="group" aria-label={label}>
      {names.map((name) => (
        <button
          key={name}
          type="button"
          class="choice-button"
          data-testid={`layer-${name}`}
          aria-pressed={name === chosen}
          onClick={() => choose(name)}
        >
          {formatName(name)}
        </button>
      ))}
    </div>
  );
}

function Frame({ explorer, layer, most }: { explorer: Explorer; layer: Layer; most: readonly number[] }) {
  const { visual, placed } = layer;
  const [width, height] = frameOf(placed.size, most);
  const name = formatName(visual.name);
  const heatmap = explorer.panel.heatmap.value;
  const { heated, opacity } = explorer.panel;
  const overlay = isOverlaid(explorer, layer) && heated.value && heatmap?.state === "here" ? heatmap.value : null;
  const grows = width >= 2 * placed.size[0];
  const style = { width: `${width}px`, height: `${height}px` };
  const picture = (
    <>
      <img
        src={visual.png!}
        alt={name}
        class={grows ? "layer pixelated" : "layer"}
        style={{
          width: `${(100 * visual.width!) / placed.area[0]}%`,
          height: `${(100 * visual.height!) / placed.area[1]}%`,
        }}
      />
      {overlay && (
        <img
          src={overlay.overlay!}
          alt={`Heat-map of ${overlay.of}: red raises, blue lowers`}
          class="layer whole"
          data-testid="heatmap"
          style={{ opacity: String(opacity.value) }}
        />
      )}
      <Outlined explorer={explorer} layer={layer} />
    </>
  );
  return (
    <figure class="image" data-testid={`visual-${visual.name}`}>
      {explorer.panel.region.drawn.value ? (
        <div class="frame" style={style}>
          {picture}
          <RegionDrawing explorer={explorer} />
        </div>
      ) : (
        <button
          type="button"
          class="frame enlarge"
          aria-label={`Enlarge ${name}`}
          style={style}
          onClick={() => enlarge(name, visual.png!)}
        >
          {picture}
        </button>
      )}
      {((placed.legend?.length ?? 0) > 0 || (placed.notes?.length ?? 0) > 0) && (
        <figcaption>
          {/* It scrolls, so it has to be reached by the keyboard. */}
          <div class="image-legend" tabIndex={0} role="group" aria-label={`Legend of ${name}`}>
            {placed.legend?.map(({ text, colour }) => (
              <span key={text} class="legend-entry">
                <span class={colour ? "key" : "key empty"} style={{ "--colour": colour ?? "transparent" }} />
                {text}
              </span>
            ))}
            {placed.notes?.join(" ")}
          </div>
        </figcaption>
      )}
    </figure>
  );
}

/** The object that is pointed at or open, drawn over the image. */
function Outlined({ explorer, layer }: { explorer: Explorer; layer: Layer }) {
  const { pointed, outlines } = explorer.panel;
  const { object } = explorer.view.value;
  const wanted = pointed.value ?? (object === null ? null : keyOfInstance(object));
  if (wanted === null) return null;
  const visuals = explorer.panel.visuals.value;
  const box = (visuals?.state === "here" ? boxesOf(visuals.value.visuals) : []).find(
    ({ visual, index }) => keyOfBox(visual.name, index) === wanted,
  );
  if (box && fits(box.size, layer.placed.size)) {
    const points = box.box.outline.map(([x, y]) => `${x * 1000},${y * 1000}`).join(" ");
    return (
      <svg
        class="outlined"
        viewBox="0 0 1000 1000"
        preserveAspectRatio="none"
        aria-hidden="true"
        data-testid="outlined"
      >
        <polygon class="halo" points={points} />
        <polygon points={points} />
      </svg>
    );
  }
  const known: Outline[] = outlines.value?.state === "here" ? outlines.value.value : [];
  const outline = known.find(({ number }) => keyOfInstance(number) === wanted);
  if (!outline || !fits(outline.size, layer.placed.size)) return null;
  return (
    <svg
      class="outlined"
      viewBox={`0 0 ${outline.width} ${outline.height}`}
      preserveAspectRatio="none"
      aria-hidden="true"
      data-testid="outlined"
    >
      <path class="halo" d={outline.path} />
      <path d={outline.path} />
    </svg>
  );
}

/** Bars, texts and whatever else is no image, one at a time. */
function Others({ explorer, others }: { explorer: Explorer; others: Visual[] }) {
  const chosen = computed(
    () => others.find(({ name }) => name === explorer.panel.other.value) ?? others[0] ?? null,
  ).value;
  if (!chosen) return null;
  return (
    <div class="others">
      <Choice
        label="Other visualizers"
        names={others.map(({ name }) => name)}
        chosen={chosen.name}
        choose={(name) => {
          explorer.panel.other.value = name;
        }}
      />
      <Other visual={chosen} />
    </div>
  );
}

function Other({ visual }: { visual: Visual }) {
  const name = formatName(visual.name);
  return (
    <figure class="visual" data-testid={`visual-${visual.name}`}>
      {visual.error ? (
        <p class="visual-error">{visual.error}</p>
      ) : isBars(visual) ? (
        <Bars name={visual.name} data={visual.data as unknown as BarData} />
      ) : (
        <>
          <Moving name={name} data={visual.data as { gif?: string; wav?: string } | null | undefined} />
          <button
            type="button"
            class="picture-frame enlarge"
            aria-label={`Enlarge ${name}`}
            onClick={() => enlarge(name, visual.png!)}
          >
            <img src={visual.png!} alt={name} class="picture" width={visual.width!} height={visual.height!} />
          </button>
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
