/** The panel of the open sample: what is known of it, and what is chosen to be seen. */

import { signal } from "@preact/signals";
import type { Client, Heatmap, Near, Outline, Panel, Sample } from "../api/client";
import { type Answer, fill } from "./answer";
import { RegionState } from "./region";

/** What the page asks of a sample when it is opened. */
export interface Opening {
  /** The latent space in which it is looked for what is near; null without one. */
  space: () => string | null;
  /** Called when its facts are here, with its name, STATE/ID. */
  opened: (name: string) => void;
}

export class PanelState {
  /** Row of the open sample; null: the panel is closed. */
  readonly row = signal<number | null>(null);
  readonly sample = signal<Answer<Sample> | null>(null);
  readonly visuals = signal<Answer<Panel> | null>(null);
  /** What is near to it; null without a latent space. */
  readonly near = signal<Answer<Near[]> | null>(null);
  /** What raises and what lowers something of it; null until it is asked for. */
  readonly heatmap = signal<Answer<Heatmap> | null>(null);
  /** Where its element instances lie; null until they are asked for. */
  readonly outlines = signal<Answer<Outline[]> | null>(null);

  /** Name of the picture that was chosen last; samples share it, so that stepping compares. */
  readonly picture = signal<string | null>(null);
  /** Name of what else was chosen last. */
  readonly other = signal<string | null>(null);
  /** Whether the heat-map lies over the picture, and how opaque. */
  readonly heated = signal(true);
  readonly opacity = signal(0.75);
  /** What the next heat-map is of. */
  readonly of = signal("loss");
  /** Key of the object that is pointed at or focused, see `keyOf` in views/panel/objects. */
  readonly pointed = signal<string | null>(null);

  /** A region of it, and what is like that. */
  readonly region: RegionState;

  private asking: AbortController | null = null;
  private last: Opening | null = null;

  constructor(private readonly client: Client) {
    this.region = new RegionState(client);
  }

  open(row: number, opening: Opening): void {
    const { signal: aborted } = this.turnTo(row);
    this.last = opening;
    const space = opening.space();
    this.visuals.value = { state: "waiting" };
    this.near.value = space === null ? null : { state: "waiting" };
    void fill(this.sample, this.client.sample(row, aborted), aborted).then((sample) => {
      if (aborted.aborted) return;
      if (sample === null) {
        this.near.value = null;
        return;
      }
      opening.opened(`${sample.state}/${sample.sample_id}`);
      // What is around it is asked for once its own facts are here.
      if (space !== null) void fill(this.near, this.client.similar(row, space, aborted), aborted);
    });
    void fill(this.visuals, this.client.visuals(row, aborted), aborted);
  }

  close(): void {
    this.turnTo(null);
  }

  /** Ask everything again. */
  reopen(): void {
    const row = this.row.peek();
    if (row !== null && this.last) this.open(row, this.last);
  }

  /** Draw a heat-map. */
  explain(of: string): void {
    const row = this.row.peek();
    const aborted = this.asking?.signal;
    if (row === null || !aborted) return;
    this.of.value = of;
    void fill(this.heatmap, this.client.heatmap(row, of, aborted), aborted);
  }

  /** Ask where the element instances lie, once a sample. */
  askOutlines(): void {
    const row = this.row.peek();
    const aborted = this.asking?.signal;
    if (row === null || !aborted || this.outlines.peek()) return;
    void fill(this.outlines, this.client.outlines(row, aborted), aborted);
  }

  /** Look for samples in which a place is like the region. */
  findLikeRegion(): void {
    const row = this.row.peek();
    const aborted = this.asking?.signal;
    if (row !== null && aborted) this.region.find(row, aborted);
  }

  /** Forget the sample that was open, and whatever is on its way for it. */
  private turnTo(row: number | null): AbortController {
    this.asking?.abort();
    this.asking = new AbortController();
    this.row.value = row;
    this.sample.value = null;
    this.visuals.value = null;
    this.near.value = null;
    this.heatmap.value = null;
    this.outlines.value = null;
    this.pointed.value = null;
    this.region.stop();
    if (this.of.peek().startsWith("similar:")) this.of.value = "loss";
    return this.asking;
  }
}
