/** What a person says of insights: a status and a note, by the name that outlives the next evaluation. */

import { signal } from "@preact/signals";
import type { Client, InsightNote, Noting } from "../api/client";
import { sentenceOf } from "./answer";

export type Status = InsightNote["status"];
export const STATUSES: readonly Status[] = ["open", "accepted", "dismissed"];

export class InsightNotes {
  readonly all = signal<ReadonlyMap<string, InsightNote>>(new Map());
  /** Why they cannot be read, or the last was not kept. */
  readonly problem = signal<string | null>(null);

  constructor(private readonly client: Client) {}

  start(): void {
    void this.client.insightNotes().then(
      (notes) => {
        this.all.value = new Map(notes.map((note) => [note.stable_id, note]));
      },
      (error: unknown) => {
        this.problem.value = sentenceOf(error);
      },
    );
  }

  of(stableId: string): InsightNote {
    return this.all.value.get(stableId) ?? { stable_id: stableId, status: "open", note: "" };
  }

  /** Whether it was kept. */
  async say(stableId: string, said: Noting): Promise<boolean> {
    try {
      const note = await this.client.noteInsight(stableId, said);
      this.all.value = new Map([...this.all.peek(), [stableId, note]]);
      this.problem.value = null;
      return true;
    } catch (error) {
      this.problem.value = sentenceOf(error);
      return false;
    }
  }
}
