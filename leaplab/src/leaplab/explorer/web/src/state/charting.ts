/** A chart as it is asked for and comes: what was drawn before stays until the new one is here. */

import { batch, signal } from "@preact/signals";
import type { Chart, ChartAsked } from "../api/charts";
import { ANOTHER_RUN, ApiError, type Client } from "../api/client";
import { sentenceOf } from "./answer";

/** Charts that are kept, so that coming back to a board takes no time. */
const KEPT = 60;

export class KeptCharts {
  private readonly charts = new Map<string, Chart>();

  get(asked: string): Chart | undefined {
    return this.charts.get(asked);
  }

  keep(asked: string, chart: Chart): void {
    this.charts.delete(asked);
    this.charts.set(asked, chart);
    if (this.charts.size > KEPT) this.charts.delete(this.charts.keys().next().value!);
  }

  /** What analyses or persons have changed is asked for anew. */
  forget(): void {
    this.charts.clear();
  }
}

export class Charting {
  readonly chart = signal<Chart | null>(null);
  readonly isWaiting = signal(false);
  /** Why there is no chart. */
  readonly sentence = signal<string | null>(null);
  /** What was asked for last. */
  asked: ChartAsked | null = null;
  private key: string | null = null;
  private leaving: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly client: Pick<Client, "ask">,
    private readonly kept: KeptCharts,
  ) {}

  /** Ask, unless that was asked before; what was asked before is given up. */
  ask(asked: ChartAsked, delay = 0): void {
    const key = JSON.stringify(asked);
    if (key === this.key) return;
    this.stop();
    this.key = key;
    this.asked = asked;
    const known = this.kept.get(key);
    if (known) {
      this.settle(known, null);
      return;
    }
    this.isWaiting.value = true;
    if (delay) this.timer = setTimeout(() => void this.send(asked, key), delay);
    else void this.send(asked, key);
  }

  retry(): void {
    const { asked } = this;
    this.key = null;
    if (asked) this.ask(asked);
  }

  /** Give up what is on its way. */
  stop(): void {
    clearTimeout(this.timer);
    this.leaving?.abort();
    this.leaving = null;
    if (this.isWaiting.peek()) this.key = null;
  }

  private async send(asked: ChartAsked, key: string): Promise<void> {
    this.leaving = new AbortController();
    const { signal: aborted } = this.leaving;
    try {
      const chart = await this.client.ask<Chart>("chart", asked, aborted);
      if (aborted.aborted) return;
      this.kept.keep(key, chart);
      this.settle(chart, null);
    } catch (error) {
      if (aborted.aborted) return;
      if (error instanceof ApiError && error.status === ANOTHER_RUN) location.reload();
      this.settle(null, sentenceOf(error));
    }
  }

  private settle(chart: Chart | null, sentence: string | null): void {
    this.leaving = null;
    batch(() => {
      this.chart.value = chart;
      this.sentence.value = sentence;
      this.isWaiting.value = false;
    });
  }
}
