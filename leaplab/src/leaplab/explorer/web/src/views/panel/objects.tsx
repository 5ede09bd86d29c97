/** The objects of a sample: its element instances, and the boxes that visualizers drew; each outlined when pointed at. */

import { useEffect } from "preact/hooks";
import type { Instance, Run, Sample, Visual } from "../../api/client";
import type { Explorer } from "../../state/explorer";
import { formatName, formatNumber } from "../../ui/format";
import { Instances } from "./instances";
import type { Box, Placed } from "./layers";

export interface DrawnBox {
  visual: Visual;
  index: number;
  box: Box;
  size: [number, number];
}

export const keyOfInstance = (number: number): string => `instance ${number}`;
export const keyOfBox = (visual: string, index: number): string => `box ${index} of ${visual}`;

/** Every box that a visualizer drew, in its order. */
export function boxesOf(visuals: Visual[]): DrawnBox[] {
  return visuals.flatMap((visual) => {
    const placed = visual.data as Placed | null | undefined;
    return (placed?.boxes ?? []).map((box, index) => ({ visual, index, box, size: placed!.size }));
  });
}

export function Objects({ explorer, sample, run }: { explorer: Explorer; sample: Sample; run: Run }) {
  const visuals = explorer.panel.visuals.value;
  const boxes = visuals?.state === "here" ? boxesOf(visuals.value.visuals) : [];
  const instances = sample.instances as unknown as Instance[];
  const { object } = explorer.view.value;
  const { panel } = explorer;
  useEffect(() => {
    if (object !== null && instances.length) panel.askOutlines();
  }, [object, instances.length]);
  if (instances.length + boxes.length === 0) return null;
  const failed = panel.outlines.value?.state === "failed" ? panel.outlines.value.sentence : null;
  return (
    <details
      class="folded"
      data-testid="objects"
      open={object !== null}
      onToggle={(event) => {
        if (event.currentTarget.open && instances.length) panel.askOutlines();
      }}
    >
      <summary>
        Objects
        <span class="folded-count">{instances.length || boxes.length}</span>
      </summary>
      {failed && <p class="scale-note">{`No outlines: ${failed}`}</p>}
      {instances.length > 0 && (
        <Instances
          instances={instances}
          known={(run.objects?.columns ?? []).filter(({ group }) => group !== "sample")}
          open={object}
          point={(number) => {
            panel.pointed.value = number === null ? null : keyOfInstance(number);
          }}
          choose={(number) => explorer.set({ object: number === object ? null : number })}
        />
      )}
      {boxes.length > 0 && <Boxes explorer={explorer} boxes={boxes} />}
    </details>
  );
}

/** A list for each visualizer that drew any. */
function Boxes({ explorer, boxes }: { explorer: Explorer; boxes: DrawnBox[] }) {
  const { pointed } = explorer.panel;
  const names = [...new Set(boxes.map(({ visual }) => visual.name))];
  return (
    <>
      {names.map((name) => (
        <section key={name} class="boxes" aria-label={formatName(name)}>
          <h4>{`Boxes of ${formatName(name)}`}</h4>
          <ul>
            {boxes
              .filter(({ visual }) => visual.name === name)
              .map(({ index, box }) => {
                const key = keyOfBox(name, index);
                const point = (): void => {
                  pointed.value = key;
                };
                const leave = (): void => {
                  if (pointed.peek() === key) pointed.value = null;
                };
                return (
                  <li key={key}>
                    <button
                      type="button"
                      class="box-name"
                      aria-label={`Outline ${box.label}`}
                      onPointerEnter={point}
                      onPointerLeave={leave}
                      onFocus={point}
                      onBlur={leave}
                      onClick={() => {
                        explorer.panel.picture.value = name;
                      }}
                    >
                      <span>{box.label}</span>
                      {box.confidence !== null && (
                        <span class="box-share">{formatNumber(Number(box.confidence.toPrecision(2)))}</span>
                      )}
                    </button>
                  </li>
                );
              })}
          </ul>
        </section>
      ))}
    </>
  );
}
