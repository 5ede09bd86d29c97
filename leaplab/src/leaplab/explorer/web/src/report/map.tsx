/** The map of a report: painted once from a grey picture, with the samples of the highest loss to point at. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { type LegendEntry, slotsOf, type Theme } from "../points/scales";
import { formatCount, formatName, formatNumber, formatRounded } from "../ui/format";
import { coloursOf } from "./colours";
import type { DrawnMap, Extreme } from "./content";

export function MapSection({ map, theme }: { map: DrawnMap; theme: Theme }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const open = useSignal<number | null>(null);
  const colours = coloursOf(map, theme);
  useEffect(() => {
    let current = true;
    void paint(map, colours).then((image) => {
      if (!current || !canvas.current) return;
      canvas.current.getContext("2d")!.putImageData(image, 0, 0);
      canvas.current.dataset.painted = theme;
    });
    return () => {
      current = false;
    };
  }, [theme]);
  const shown = open.value === null ? null : (map.extremes?.[open.value] ?? null);
  return (
    <section class="report-section" aria-labelledby="map-title">
      <h2 id="map-title">Map</h2>
      <p class="report-told">{map.told}</p>
      <div class="report-map">
        <div class="report-plane">
          <canvas
            ref={canvas}
            width={map.width}
            height={map.height}
            role="img"
            aria-label={`Map: ${map.told}`}
            data-testid="map"
          />
          {(map.extremes ?? []).map((extreme, at) => (
            <button
              key={`${extreme.shown.state}/${extreme.shown.sample_id}`}
              type="button"
              class="report-extreme"
              style={{ left: `${100 * extreme.x}%`, top: `${100 * extreme.y}%` }}
              aria-label={`Sample ${extreme.shown.sample_id} of ${extreme.shown.state}, loss ${formatNumber(extreme.value)}`}
              aria-pressed={open.value === at}
              onMouseEnter={() => (open.value = at)}
              onFocus={() => (open.value = at)}
              onMouseLeave={() => (open.value = null)}
              onBlur={() => (open.value = null)}
            />
          ))}
          {shown && <Card extreme={shown} />}
        </div>
        <Legend map={map} theme={theme} />
      </div>
    </section>
  );
}

function Card({ extreme }: { extreme: Extreme }) {
  const { shown, value, x, y } = extreme;
  const side = x > 0.5 ? { right: `${100 * (1 - x) + 2}%` } : { left: `${100 * x + 2}%` };
  const end = y > 0.5 ? { bottom: `${100 * (1 - y)}%` } : { top: `${100 * y}%` };
  return (
    <div class="report-card" style={{ ...side, ...end }} role="status">
      {shown.picture && <img src={shown.picture} alt="" />}
      <p class="report-id">{shown.sample_id}</p>
      <p>{`${shown.state}, loss ${formatRounded(value)}`}</p>
    </div>
  );
}

function Legend({ map, theme }: { map: DrawnMap; theme: Theme }) {
  const { column, scale } = map;
  const colours = coloursOf(map, theme);
  if (!column) return null;
  return (
    <aside class="report-legend" aria-label="Legend">
      <h3>{formatName(column.label)}</h3>
      {scale ? (
        <>
          <span
            class="report-gradient"
            style={{ background: `linear-gradient(to right, ${colours.slice(1, 255).join(", ")})` }}
          />
          <p class="report-ends">
            <span>{formatRounded(scale.low)}</span>
            <span>{formatRounded(scale.high)}</span>
          </p>
        </>
      ) : (
        <Entries entries={slotsOf(column, map.counts ?? [], map.absent ?? 0).entries} map={map} colours={colours} />
      )}
      {(map.extremes ?? []).length > 0 && (
        <p class="report-note">{`Rings: the ${map.extremes!.length} samples of the highest loss; point at one.`}</p>
      )}
    </aside>
  );
}

function Entries({ entries, map, colours }: { entries: readonly LegendEntry[]; map: DrawnMap; colours: string[] }) {
  const { slots, missing } = slotsOf(map.column!, map.counts ?? [], map.absent ?? 0);
  const colourOf = (slot: number): string => {
    const category = slots.indexOf(slot);
    return slot === missing || category < 0 ? colours[slots.length + 1]! : colours[category + 1]!;
  };
  return (
    <ul>
      {entries.map(({ key, label, count }, slot) => (
        <li key={key}>
          <span class="report-swatch" style={{ background: colourOf(slot) }} />
          <span class="report-entry">{label}</span>
          <span class="report-count">{formatCount(count)}</span>
        </li>
      ))}
    </ul>
  );
}

/** The grey picture in colours; where there is no sample it stays clear. */
async function paint(map: DrawnMap, colours: readonly string[]): Promise<ImageData> {
  const grey = await decoded(map.picture);
  const canvas = new OffscreenCanvas(map.width, map.height);
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.drawImage(grey, 0, 0);
  const image = context.getImageData(0, 0, map.width, map.height);
  const packed = colours.map(rgb);
  const { data } = image;
  for (let at = 0; at < data.length; at += 4) {
    const value = data[at]!;
    const [red, green, blue] = packed[value] ?? packed[0]!;
    data[at] = red;
    data[at + 1] = green;
    data[at + 2] = blue;
    data[at + 3] = value === 0 ? 0 : 255;
  }
  return image;
}

async function decoded(address: string): Promise<HTMLImageElement> {
  const image = new Image();
  image.src = address;
  await image.decode();
  return image;
}

function rgb(colour: string): [number, number, number] {
  const number = Number.parseInt(colour.slice(1), 16);
  return [number >> 16, (number >> 8) & 255, number & 255];
}
