/** Pictures of what is selected, or shown, in the order of a column. */

import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Explorer } from "../state/explorer";
import { isColourable } from "../state/view";
import { formatCount, formatName } from "../ui/format";
import { Splitter } from "../ui/splitter";
import { tilesShown } from "../ui/window";

/** Side of a tile with its gap, in CSS pixels. */
const TILE = 80;
const NONE = "none";

export function Gallery({ explorer }: { explorer: Explorer }) {
  const open = explorer.layout.gallery;
  const rows = explorer.gallery.value;
  const selected = explorer.selected.value > 0;
  return (
    <section class="gallery" aria-label="Gallery" data-testid="gallery">
      {open.value && <Splitter layout={explorer.layout} part="gallery" label="Height of the gallery" side="top" />}
      <div class="gallery-head">
        <button
          type="button"
          class="link"
          aria-expanded={open.value}
          onClick={() => explorer.layout.openGallery(!open.value)}
        >
          {`${open.value ? "\u25be" : "\u25b8"} ${rows ? formatCount(rows.length) : ""} ${selected ? "selected" : "shown"}`}
        </button>
        <button type="button" class="link" data-testid="export" onClick={() => void explorer.export()}>
          Save as CSV
        </button>
        <label class="gallery-sort">
          Highest first by
          <select
            data-testid="sort-select"
            value={explorer.sortedBy.value ?? NONE}
            onChange={(event) => {
              const { value } = event.currentTarget;
              explorer.sortedBy.value = value === NONE ? null : value;
            }}
          >
            <option value={NONE}>row</option>
            {explorer.run.columns.filter(isColourable).map(({ name, label }) => (
              <option key={name} value={name}>
                {formatName(label)}
              </option>
            ))}
          </select>
        </label>
      </div>
      {open.value && rows && <Grid explorer={explorer} rows={rows} />}
    </section>
  );
}

function Grid({ explorer, rows }: { explorer: Explorer; rows: Uint32Array }) {
  const host = useRef<HTMLDivElement>(null);
  const seen = useSignal({ width: 0, height: 0, scrolled: 0 });
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
  useLayoutEffect(() => host.current!.scrollTo({ top: 0 }), [rows]);
  const { width, height, scrolled } = seen.value;
  const tiles = tilesShown(rows.length, TILE, width, height, scrolled);
  const open = explorer.row.value;
  return (
    <div
      ref={host}
      class="gallery-view"
      style={{ height: `${explorer.layout.sizes.gallery.value}px` }}
      tabIndex={0}
      role="group"
      aria-label="Pictures"
    >
      <div class="gallery-whole" style={{ height: `${tiles.height}px` }}>
        <div
          class="gallery-tiles"
          style={{ top: `${tiles.top}px`, gridTemplateColumns: `repeat(${tiles.columns}, 1fr)` }}
        >
          {[...rows.subarray(tiles.from, tiles.to)].map((row) => (
            <button
              key={row}
              type="button"
              class="tile"
              aria-label={`Open sample ${row}`}
              aria-current={row === open}
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
      </div>
    </div>
  );
}
