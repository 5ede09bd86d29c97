/** A region of the open sample: drawn over its picture, and what in other samples is like it. */

import { useRef } from "preact/hooks";
import type { Explorer } from "../../state/explorer";
import { between, moved, type Region, resized } from "../../state/region";
import { NearTile } from "./near-tile";
import { Group, Waited } from "./waited";

/** Share of a side that an arrow key moves it by. */
const STEP = 0.05;

/** Lies over the picture while a region is asked about. */
export function RegionDrawing({ explorer }: { explorer: Explorer }) {
  const { region } = explorer.panel;
  const from = useRef<[number, number] | null>(null);
  const drawn = region.drawn.value;
  if (drawn === null) return null;
  const at = (event: PointerEvent): [number, number] => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  const arrows: Record<string, [number, number]> = {
    ArrowLeft: [-STEP, 0],
    ArrowRight: [STEP, 0],
    ArrowUp: [0, -STEP],
    ArrowDown: [0, STEP],
  };
  return (
    <div
      class="region-drawing"
      role="application"
      tabIndex={0}
      aria-label="Region: drag over the picture; arrow keys move it, with Shift they change its size, Enter finds what is like it"
      data-testid="region-drawing"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        from.current = at(event);
      }}
      onPointerMove={(event) => {
        const next = from.current && between(from.current, at(event));
        if (next) region.drawn.value = next;
      }}
      onPointerUp={() => {
        from.current = null;
      }}
      onKeyDown={(event) => {
        const arrow = arrows[event.key];
        if (arrow) region.drawn.value = (event.shiftKey ? resized : moved)(drawn, ...arrow);
        else if (event.key === "Enter") explorer.panel.findLikeRegion();
        else if (event.key === "Escape") region.stop();
        else return;
        event.preventDefault();
        event.stopPropagation();
      }}
    >
      <Box region={drawn} size={[1000, 1000]} />
    </div>
  );
}

/** A region over whatever it lies on, whose sides have the ratio of a size. */
function Box({ region: [left, top, right, bottom], size: [width, height], fit = "none" }: BoxProps) {
  const sides = {
    x: left * width,
    y: top * height,
    width: (right - left) * width,
    height: (bottom - top) * height,
  };
  return (
    <svg class="region-box" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio={fit} aria-hidden="true">
      <rect class="halo" {...sides} />
      <rect {...sides} />
    </svg>
  );
}

interface BoxProps {
  region: Region;
  size: readonly [number, number];
  fit?: string;
}

/** Asks for it, and shows what was found. */
export function LikeRegion({ explorer }: { explorer: Explorer }) {
  const { region } = explorer.panel;
  const answer = region.answer.value;
  if (region.drawn.value === null) {
    return (
      <button type="button" class="link" data-testid="region-start" onClick={() => region.start()}>
        What is like a region of it?
      </button>
    );
  }
  const share = region.share.value;
  const waiting = `Comparing places\u2026${share === null ? "" : ` ${Math.floor(100 * share)} % of all samples are known`}`;
  return (
    <Group title="Like the region">
      <p class="field-note">Drag over the picture, or focus it and use the arrow keys.</p>
      <div class="region-ask">
        <button
          type="button"
          class="button"
          data-testid="region-find"
          disabled={answer?.state === "waiting"}
          onClick={() => explorer.panel.findLikeRegion()}
        >
          Find places like it
        </button>
        <button type="button" class="link" onClick={() => region.stop()}>
          Leave it
        </button>
      </div>
      {answer && (
        <Waited answer={answer} waiting={waiting} retry={() => explorer.panel.findLikeRegion()}>
          {({ similar, size, notices }) => (
            <>
              <div class="similar" data-testid="similar-places">
                {similar.map((near) => (
                  <NearTile
                    key={near.row}
                    explorer={explorer}
                    near={near}
                    over={<Box region={near.place} size={size} fit="xMidYMid meet" />}
                  />
                ))}
              </div>
              {notices.map((notice) => (
                <p key={notice} class="field-note">
                  {notice}
                </p>
              ))}
              <button
                type="button"
                class="link"
                onClick={() =>
                  explorer.chosen.choose(
                    similar.map(({ row }) => row),
                    "likeness of a place to the region",
                  )
                }
              >
                Select them
              </button>
            </>
          )}
        </Waited>
      )}
    </Group>
  );
}
