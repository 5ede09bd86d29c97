/** Pictures of what is selected, or shown, in the order of a column; selecting among them, and taking them away. */

import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Points } from "../api/client";
import type { Explorer } from "../state/explorer";
import { tableOf } from "../state/painting";
import { selectSimilar } from "../state/similar";
import { isColourable } from "../state/view";
import { formatCount, formatName } from "../ui/format";
import { Splitter } from "../ui/splitter";
import { Switch } from "../ui/switch";
import { tilesShown } from "../ui/window";
import { TagButton } from "./tags";

/** Side of a tile with its gap, in CSS pixels. */
const TILE = 80;
const NONE = "none";
const RANKED = "ranked";

export function Gallery({ explorer }: { explorer: Explorer }) {
  const open = explorer.layout.gallery;
  const { run } = explorer;
  const { tiles: of, sort, objectSort } = explorer.view.value;
  const tiles = explorer.gallery.tiles.value;
  const columns = tableOf(run, of).columns.filter(isColourable);
  const sorted = of === "objects" ? objectSort : sort;
  const empty = explorer.chosen.rows.value.length === 0;
  const ranked = of === "samples" ? explorer.chosen.ranked.value : null;
  return (
    <section class="gallery" aria-label="Gallery" aria-busy={explorer.gallery.isWaiting.value} data-testid="gallery">
      {open.value && <Splitter layout={explorer.layout} part="gallery" label="Height of the gallery" side="top" />}
      <div class="gallery-head">
        <button
          type="button"
          class="link"
          aria-expanded={open.value}
          onClick={() => explorer.layout.openGallery(!open.value)}
        >
          {`${open.value ? "\u25be" : "\u25b8"} ${told(explorer)}`}
        </button>
        {explorer.chosen.ticking.value && (
          <button type="button" class="link" onClick={() => (explorer.chosen.ticking.value = null)}>
            Only these
          </button>
        )}
        <TagButton explorer={explorer} />
        {(["csv", "json"] as const).map((format) => (
          <button
            key={format}
            type="button"
            class="link"
            data-testid={`export-${format}`}
            aria-label={`Save as ${format.toUpperCase()}`}
            disabled={empty}
            onClick={() => void explorer.chosen.save(format)}
          >
            {format === "csv" ? "Save as CSV" : "JSON"}
          </button>
        ))}
        {run.objects && (
          <Switch
            label="Tiles"
            names={{ samples: "Images", objects: "Objects" }}
            chosen={of}
            choose={(tiles) => explorer.set({ tiles })}
          />
        )}
        {explorer.chosen.mask.value && run.latent_spaces.length > 0 && (
          <button
            type="button"
            class="link"
            data-testid="select-similar"
            title="Select what is nearest to these in the latent space"
            onClick={() => void selectSimilar(explorer)}
          >
            Similar to these
          </button>
        )}
        <label class="gallery-sort">
          {ranked ? "Sorted by" : "Highest first by"}
          <select
            data-testid="sort-select"
            value={ranked ? RANKED : (sorted ?? NONE)}
            onChange={(event) => {
              const column = event.currentTarget.value === NONE ? null : event.currentTarget.value;
              explorer.chosen.forgetOrder();
              explorer.set(of === "objects" ? { objectSort: column } : { sort: column });
            }}
          >
            {ranked && <option value={RANKED}>{ranked.by}</option>}
            <option value={NONE}>row</option>
            {columns.map(({ name, label }) => (
              <option key={name} value={name}>
                {formatName(label)}
              </option>
            ))}
          </select>
        </label>
      </div>
      {open.value &&
        (tiles ? (
          <Grid explorer={explorer} of={of} all={tiles} />
        ) : (
          // It takes its room from the start: a map that is seen already must not move.
          <div class="gallery-view" style={{ height: `${explorer.layout.sizes.gallery.value}px` }} />
        ))}
    </section>
  );
}

/** "300 shown", "12 selected", "3 of 300 selected", "40 objects shown". */
function told(explorer: Explorer): string {
  const { mask, rows: chosen, count } = explorer.chosen;
  if (explorer.view.value.tiles === "objects") {
    const objects = explorer.gallery.tiles.value;
    return objects ? `${formatCount(objects.length)} objects ${mask.value ? "selected" : "shown"}` : "";
  }
  const rows = explorer.gallery.rows.value;
  if (!rows) return "";
  if (!mask.value) return `${formatCount(rows.length)} shown`;
  const whole = explorer.chosen.ticking.value ? rows.length : count.value;
  const some = chosen.value.length;
  return some === whole ? `${formatCount(some)} selected` : `${formatCount(some)} of ${formatCount(whole)} selected`;
}

function Grid({ explorer, of, all }: { explorer: Explorer; of: Points; all: Uint32Array }) {
  const host = useRef<HTMLDivElement>(null);
  const seen = useSignal({ width: 0, height: 0, scrolled: 0 });
  /** Where a range begins: the tile that was clicked or ticked last. */
  const last = useRef<number | null>(null);
  useLayoutEffect(() => {
    const node = host.current!;
    const measure = (): void => {
      seen.value = { width: node.clientWidth, height: node.clientHeight, scrolled: node.scrollTop };
    };
    const resized = new ResizeObserver(measure);
    resized.observe(node);
    node.addEventListener("scroll", measure, { passive: true });
    measure();
    return () => resized.disconnect();
  }, []);
  // Another choice begins at its top.
  useLayoutEffect(() => host.current!.scrollTo({ top: 0 }), [all]);
  const { width, height, scrolled } = seen.value;
  const tiles = tilesShown(all.length, TILE, width, height, scrolled);
  const open = explorer.tile.value;
  const owners = explorer.objects.owners.value;
  const mask = explorer.chosen.mask.value;

  const tick = (row: number, range: boolean): void => {
    const how = mask?.[row] ? "remove" : "add";
    const from = range && last.current !== null ? all.indexOf(last.current) : -1;
    const to = all.indexOf(row);
    if (from === -1) explorer.chosen.tick([row], how);
    else explorer.chosen.tick([...all.subarray(Math.min(from, to), Math.max(from, to) + 1)], "add");
    last.current = row;
  };
  const step = (place: number, by: number): void => {
    const next = all[all.indexOf(place) + by];
    if (next !== undefined) host.current!.querySelector<HTMLElement>(`[data-place="${next}"]`)?.focus();
  };
  const steps: Record<string, number> = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -tiles.columns,
    ArrowDown: tiles.columns,
  };
  return (
    <div
      ref={host}
      class={mask ? "gallery-view choosing" : "gallery-view"}
      style={{ height: `${explorer.layout.sizes.gallery.value}px` }}
      tabIndex={0}
      role="group"
      aria-label="Pictures: Enter opens one, Space selects it, with Shift all from the last one on"
    >
      <div class="gallery-whole" style={{ height: `${tiles.height}px` }}>
        <div
          class="gallery-tiles"
          style={{ top: `${tiles.top}px`, gridTemplateColumns: `repeat(${tiles.columns}, 1fr)` }}
        >
          {[...all.subarray(tiles.from, tiles.to)].map((place) => (
            <div key={`${of} ${place}`} class="tile-box">
              <button
                type="button"
                class="tile"
                data-place={place}
                aria-label={
                  of === "objects"
                    ? `Open object ${owners?.numbers[place]} of sample ${owners?.rows[place]}`
                    : `Open sample ${place}`
                }
                aria-current={place === open}
                onClick={(event) => {
                  if (of === "samples" && (event.shiftKey || event.ctrlKey || event.metaKey)) {
                    tick(place, event.shiftKey);
                    return;
                  }
                  last.current = place;
                  explorer.openPoint(place, of);
                }}
                onKeyDown={(event) => {
                  if (event.key === " " && of === "samples") {
                    event.preventDefault();
                    tick(place, event.shiftKey);
                  } else if (steps[event.key] && !event.ctrlKey && !event.metaKey && !event.altKey) {
                    event.preventDefault();
                    step(place, steps[event.key]!);
                  }
                }}
                // A button takes it for a click.
                onKeyUp={(event) => event.key === " " && of === "samples" && event.preventDefault()}
              >
                <img
                  src={of === "objects" ? explorer.crop(place) : explorer.thumbnail(place)}
                  alt=""
                  decoding="async"
                  onError={(event) => event.currentTarget.classList.add("missing")}
                />
              </button>
              {of === "samples" && (
                <input
                  type="checkbox"
                  class="tile-tick"
                  // By key, Space on the picture does the same.
                  tabIndex={-1}
                  aria-label={`Select sample ${place}`}
                  checked={Boolean(mask?.[place])}
                  onClick={(event) => {
                    tick(place, event.shiftKey);
                    host.current!.querySelector<HTMLElement>(`[data-place="${place}"]`)?.focus();
                  }}
                />
              )}
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}
