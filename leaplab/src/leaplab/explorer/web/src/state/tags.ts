/** The run's tags, as the server keeps them. */

import { effect, signal } from "@preact/signals";
import type { Client, Tag } from "../api/client";
import { encodeMask } from "../api/values";
import { type Answer, sentenceOf } from "./answer";
import type { Explorer } from "./explorer";

export class Tags {
  readonly all = signal<Answer<Tag[]>>({ state: "waiting" });
  /** Of the open sample; null while it is not known. */
  readonly ofSample = signal<readonly string[] | null>(null);
  /** Why the last change was not made, or a tag cannot be shown. */
  readonly problem = signal<string | null>(null);
  private turn = 0;

  constructor(
    private readonly explorer: Explorer,
    private readonly client: Client,
  ) {}

  start(): void {
    this.load();
    effect(() => {
      void this.explorer.panel.row.value;
      this.ofSample.value = null;
      this.readSample();
    });
  }

  load(): void {
    void this.client.tags().then(
      (value) => {
        this.all.value = { state: "here", value };
      },
      (error: unknown) => {
        this.all.value = { state: "failed", sentence: sentenceOf(error) };
      },
    );
  }

  /** The rows of a tag; null where it cannot be shown. */
  async rows(name: string): Promise<Uint32Array | null> {
    try {
      const rows = await this.client.tagRows(name);
      this.problem.value = null;
      return rows;
    } catch (error) {
      this.problem.value = sentenceOf(error);
      return null;
    }
  }

  /** Give rows a tag, or take it from them; whether that was done. */
  async change(name: string, change: "add" | "remove", rows: Iterable<number>): Promise<boolean> {
    const mask = encodeMask(rows, this.explorer.run.samples);
    const done = await this.done(this.client.tag({ name, change, mask }));
    if (done && this.explorer.view.peek().tag === name) void this.explorer.chosen.follow(true);
    return done;
  }

  async rename(name: string, to: string): Promise<boolean> {
    if (!(await this.done(this.client.renameTag(name, to)))) return false;
    // The address names the tag: it is the same one still.
    if (this.explorer.view.peek().tag === name) this.explorer.set({ tag: to.normalize("NFC").trim() });
    void this.explorer.chosen.follow();
    return true;
  }

  async delete(name: string): Promise<boolean> {
    if (!(await this.done(this.client.deleteTag(name)))) return false;
    if (this.explorer.view.peek().tag === name) this.explorer.select([], "replace");
    return true;
  }

  private async done(changed: Promise<Tag[]>): Promise<boolean> {
    try {
      this.all.value = { state: "here", value: await changed };
      this.problem.value = null;
      this.readSample();
      return true;
    } catch (error) {
      this.problem.value = sentenceOf(error);
      return false;
    }
  }

  private readSample(): void {
    const row = this.explorer.panel.row.peek();
    const turn = ++this.turn;
    if (row === null) return;
    void this.client.tagsOf(row).then(
      (names) => {
        if (turn === this.turn) this.ofSample.value = names;
      },
      // That the notes cannot be read is told beside the tags.
      () => undefined,
    );
  }
}
