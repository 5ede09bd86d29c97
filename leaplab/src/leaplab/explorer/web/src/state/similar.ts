/** From a selection to what is like it. */

import type { SimilarSamples } from "../api/planning";
import { rowsOf } from "./chosen";
import type { Explorer } from "./explorer";

/** Samples that are looked for. */
const COUNT = 20;

/** Select what is nearest to the centre of the selection in the map's latent space, the nearest first. */
export async function selectSimilar(explorer: Explorer): Promise<void> {
  const rows = rowsOf(explorer.chosen.mask.peek() ?? new Uint8Array());
  const { space } = explorer.view.peek();
  try {
    const asked = { rows, space, count: COUNT };
    const { similar, query } = await explorer.client.ask<SimilarSamples>("plan/similar", asked);
    const near = similar.map(({ row }) => row);
    explorer.chosen.choose(near, `distance to ${rows.length === 1 ? query[0] : `${rows.length} samples`}`);
  } catch (error) {
    explorer.fail(error, () => void selectSimilar(explorer));
  }
}
