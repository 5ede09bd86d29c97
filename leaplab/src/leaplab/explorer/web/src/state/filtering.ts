/** Which samples meet the filters, and how every column looks under them. */

import { effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Client, Filter, Histogram, Run } from "../api/client";
import { decodeMask, encodeMask } from "../api/values";
import { rowsOf } from "./chosen";
import { isColourable } from "./view";

export interface Asked {
  filters: readonly Filter[];
  /** States that are shown; null: all. */
  states: readonly string[] | null;
  /** 1 for each selected row; null: none is. */
  selection: Uint8Array | null;
}

const STATE_COLUMN = "sample.state";

export class Filtering {
  /** 1 for each row that meets all filters; null: all do. */
  readonly mask = signal<Uint8Array | null>(null);
  /** Column -> its histogram: over the selected samples, else over those that meet all other filters. */
  readonly histograms = signal<ReadonlyMap<string, Histogram>>(new Map());
  /** Columns whose values are unfolded. */
  readonly opened: Signal<readonly string[]> = signal([]);
  private asking: AbortController | null = null;
  private readonly first: readonly string[];

  constructor(
    private readonly run: Run,
    private readonly client: Client,
    private readonly fail: (error: unknown, retry: () => void) => void,
  ) {
    // Some of what is computed is computed when it is first asked for.
    this.first = run.columns
      .filter((column) => isColourable(column) && column.group !== "analysis")
      .map(({ name }) => name);
  }

  /** @param begin true from when histograms may be asked for: the map comes first. */
  follow(asked: ReadonlySignal<Asked>, begin: ReadonlySignal<boolean>): void {
    effect(() => {
      void this.ask(asked.value, this.opened.value, begin.value);
    });
  }

  private async ask(asked: Asked, opened: readonly string[], hasBegun: boolean): Promise<void> {
    this.asking?.abort();
    this.asking = new AbortController();
    const { signal: aborted } = this.asking;
    const filters = [...asked.filters];
    try {
      // Who is shown comes first, and how the columns look behind it.
      if (filters.length) {
        const { mask } = await this.client.select({ filters, histograms: [] }, aborted);
        if (aborted.aborted) return;
        this.mask.value = decodeMask(mask, this.run.samples);
      } else this.mask.value = null;
      if (!hasBegun) return;
      if (asked.states) filters.push({ column: STATE_COLUMN, keep: [...asked.states] });
      const within = asked.selection && encodeMask(rowsOf(asked.selection), this.run.samples);
      const histograms = [...new Set([...this.first, ...opened])];
      const answer = await this.client.select({ filters, histograms, within }, aborted);
      if (!aborted.aborted) this.histograms.value = new Map(answer.histograms.map((each) => [each.column, each]));
    } catch (error) {
      if (!aborted.aborted) this.fail(error, () => void this.ask(asked, opened, hasBegun));
    }
  }
}
