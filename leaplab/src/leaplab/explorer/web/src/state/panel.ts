/** What is chosen in the panel of the open sample: a picture, a heat-map over it, an object. */

import { signal } from "@preact/signals";
import type { Client, Outline } from "../api/client";
import { type Answer, sentenceOf } from "./answer";

export class PanelState {
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
  /** Where the element instances lie; null until they are asked for. */
  readonly outlines = signal<Answer<Outline[]> | null>(null);

  private row: number | null = null;
  private aborted: AbortSignal | null = null;

  constructor(private readonly client: Client) {}

  /** Another sample, or none. */
  open(row: number | null, aborted: AbortSignal | null): void {
    this.row = row;
    this.aborted = aborted;
    this.pointed.value = null;
    this.outlines.value = null;
    if (this.of.peek().startsWith("similar:")) this.of.value = "loss";
  }

  /** Ask where the element instances lie, once a sample. */
  askOutlines(): void {
    const { row, aborted } = this;
    if (row === null || !aborted || this.outlines.peek()) return;
    this.outlines.value = { state: "waiting" };
    void this.client.outlines(row, aborted).then(
      (value) => {
        if (!aborted.aborted) this.outlines.value = { state: "here", value };
      },
      (error: unknown) => {
        if (!aborted.aborted) this.outlines.value = { state: "failed", sentence: sentenceOf(error) };
      },
    );
  }
}
