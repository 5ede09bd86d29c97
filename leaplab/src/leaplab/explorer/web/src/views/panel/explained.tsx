/** What raises and what lowers the loss, a class or a likeness: asked for here, drawn over the picture where it fits. */

import type { Sample } from "../../api/client";
import type { Explorer } from "../../state/explorer";
import { enlarge } from "./enlarge";
import { Waited } from "./waited";

/** Classes that are offered for a heat-map. */
const MOST_CLASSES = 20;

interface ExplainedProps {
  explorer: Explorer;
  sample: Sample;
  /** Whether the map lies over the picture that is shown, so that it needs none of its own. */
  overlaid: boolean;
}

export function Explained({ explorer, sample, overlaid }: ExplainedProps) {
  const { of, heated, opacity } = explorer.panel;
  const heatmap = explorer.panel.heatmap.value;
  const labels = sample.predictions[0]?.labels ?? [];
  return (
    <section class="explained" aria-label="Heat-map">
      <div class="explained-ask">
        <select
          data-testid="explain-select"
          aria-label="Heat-map of what"
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
          {of.value.startsWith("similar:") && (
            <option value={of.value}>{`likeness to ${of.value.slice("similar:".length)}`}</option>
          )}
        </select>
        <button type="button" class="button" data-testid="explain" onClick={() => explorer.panel.explain(of.value)}>
          Heat-map
        </button>
      </div>
      {heatmap && (
        <Waited answer={heatmap} waiting={"Taking regions away\u2026"} retry={() => explorer.panel.explain(of.value)}>
          {({ png, told, of: drawn }) => (
            <>
              {png && overlaid && (
                <div class="heat-switch">
                  <label class="switch">
                    <input
                      type="checkbox"
                      data-testid="heat-switch"
                      checked={heated.value}
                      onChange={(event) => {
                        heated.value = event.currentTarget.checked;
                      }}
                    />
                    <span class="heat-key">
                      <span class="raises">red raises</span>, <span class="lowers">blue lowers</span>
                    </span>
                  </label>
                  <input
                    type="range"
                    min={0}
                    max={1}
                    step={0.05}
                    aria-label="Opacity of the heat-map"
                    data-testid="heat-opacity"
                    disabled={!heated.value}
                    value={opacity.value}
                    onInput={(event) => {
                      opacity.value = event.currentTarget.valueAsNumber;
                    }}
                  />
                </div>
              )}
              {png && !overlaid && (
                <button
                  type="button"
                  class="picture-frame enlarge"
                  aria-label="Enlarge the heat-map"
                  onClick={() => enlarge("heat-map", png)}
                >
                  <img
                    src={png}
                    alt={`Heat-map of ${drawn}: red raises, blue lowers`}
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
    </section>
  );
}
