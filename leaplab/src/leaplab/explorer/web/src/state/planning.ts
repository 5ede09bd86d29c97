/** The plan's questions: their forms, what was asked, and the answers as they come. */

import { effect, type Signal, signal } from "@preact/signals";
import type { Questions, Side, Suggestions, Tool } from "../api/planning";
import { encodeMask } from "../api/values";
import { save } from "../ui/save";
import { type Answer, sentenceOf } from "./answer";
import { rowsOf } from "./chosen";
import type { Explorer } from "./explorer";
import { defaultForms, type Forms, isLasting, type Plan, type SideForm, sideOfColumn } from "./plan";

export type Answers = { [T in Tool]?: Answer<Questions[T]["answer"]> };

/** A sentence for a person, before the server is asked. */
class Unasked extends Error {}

export class Planning {
  readonly forms: Signal<Forms>;
  readonly answers = signal<Answers>({});
  readonly suggestions = signal<Suggestions | null>(null);
  /** Seconds since what is on its way was asked for. */
  readonly seconds = signal(0);
  /** The question that is on its way. */
  readonly asking = signal<Tool | null>(null);
  /** Why a table could not be saved. */
  readonly unsaved = signal<string | null>(null);

  private leaving: AbortController | null = null;
  /** Tool -> what was asked with it last, and its body. */
  private readonly asked = new Map<Tool, { form: string; body: unknown }>();

  constructor(readonly explorer: Explorer) {
    this.forms = signal(defaultForms(explorer.run));
  }

  /** Begin to follow the view: what it asks is asked, unless it was. */
  start(): void {
    let suggested = false;
    effect(() => {
      const { tab, plan } = this.explorer.view.value;
      if (tab !== "plan") return;
      if (!suggested) {
        suggested = true;
        void this.suggest();
      }
      if (!plan?.form) return;
      const form = JSON.stringify(plan.form);
      if (this.asked.get(plan.tool)?.form === form) return;
      this.forms.value = { ...this.forms.peek(), [plan.tool]: plan.form };
      if (isLasting(plan)) this.send(plan.tool);
    });
  }

  get tool(): Tool {
    return this.explorer.view.value.plan?.tool ?? "gap";
  }

  /** Go to a tool, and to what was asked with it last. */
  open(tool: Tool): void {
    const asked = this.asked.get(tool);
    this.explorer.set({ plan: { tool, form: asked ? JSON.parse(asked.form) : null } as Plan });
  }

  change<T extends Tool>(tool: T, patch: Partial<Forms[T]>): void {
    const forms = this.forms.peek();
    this.forms.value = { ...forms, [tool]: { ...forms[tool], ...patch } };
  }

  ask(tool: Tool): void {
    this.send(tool);
    this.explorer.set({ plan: { tool, form: this.forms.peek()[tool] } as Plan });
  }

  /** Wait no longer. */
  cancel(): void {
    this.leaving?.abort();
    const tool = this.asking.peek();
    if (tool === null) return;
    this.asked.delete(tool);
    this.settle(tool, undefined);
  }

  /** Save an answer as the command's -o writes it. */
  async saveTable(tool: Tool): Promise<void> {
    const asked = this.asked.get(tool);
    if (!asked) return;
    this.unsaved.value = null;
    try {
      save(await this.explorer.client.file(`plan/${tool}/table`, asked.body), `${this.explorer.run.name}-${tool}.csv`);
    } catch (error) {
      this.unsaved.value = sentenceOf(error);
    }
  }

  /** A population as the server takes it. */
  side(form: SideForm): Side {
    const { explorer } = this;
    const { samples, columns } = explorer.run;
    const whole: Side = { rest: false, told: "what is chosen", columns: [] };
    switch (form.by) {
      case "where":
        return { ...whole, where: form.where };
      case "rest":
        return { ...whole, rest: true };
      case "selection": {
        const rows = rowsOf(explorer.chosen.mask.peek() ?? new Uint8Array());
        if (!rows.length) throw new Unasked("Nothing is selected; draw around samples on the map first.");
        return { ...whole, mask: encodeMask(rows, samples), told: "the selection" };
      }
      case "shown": {
        const { mask } = explorer.map.visible.peek();
        const rows = mask ? rowsOf(mask) : Array.from({ length: samples }, (_, row) => row);
        const { filters, hiddenCategories, colour } = explorer.view.peek();
        const named = filters.map(({ column }) => column);
        if (hiddenCategories.length && colour !== null) named.push(colour);
        return { ...whole, mask: encodeMask(rows, samples), told: "what is shown", columns: named };
      }
      case "column": {
        const column = columns.find(({ name }) => name === form.column);
        if (column?.kind === "continuous") {
          return { ...whole, filters: [{ column: form.column, low: form.low, high: form.high }] };
        }
        return { ...whole, filters: [{ column: form.column, keep: form.keep }] };
      }
    }
  }

  private send(tool: Tool): void {
    this.leaving?.abort();
    const before = this.asking.peek();
    if (before !== null && before !== tool) {
      this.asked.delete(before);
      this.settle(before, undefined);
    }
    let body: unknown;
    try {
      body = this.body(tool);
    } catch (error) {
      if (!(error instanceof Unasked)) throw error;
      this.settle(tool, { state: "failed", sentence: error.message });
      return;
    }
    this.asked.set(tool, { form: JSON.stringify(this.forms.peek()[tool]), body });
    this.leaving = new AbortController();
    const { signal: aborted } = this.leaving;
    this.answers.value = { ...this.answers.peek(), [tool]: { state: "waiting" } };
    this.asking.value = tool;
    this.seconds.value = 0;
    this.unsaved.value = null;
    const begun = performance.now();
    const clock = window.setInterval(() => {
      this.seconds.value = Math.round((performance.now() - begun) / 1000);
    }, 1000);
    void this.explorer.client
      .ask<{ made?: string[] }>(`plan/${tool}`, body, aborted)
      .then(async (value) => {
        if (value.made?.length) await this.explorer.learn(value.made);
        return value;
      })
      .then(
        (value) => {
          if (!aborted.aborted) this.settle(tool, { state: "here", value });
        },
        (error: unknown) => {
          if (!aborted.aborted) this.settle(tool, { state: "failed", sentence: sentenceOf(error) });
        },
      )
      .finally(() => window.clearInterval(clock));
  }

  private settle(tool: Tool, answer: Answer<unknown> | undefined): void {
    if (this.asking.peek() === tool) this.asking.value = null;
    this.answers.value = { ...this.answers.peek(), [tool]: answer } as Answers;
  }

  private body(tool: Tool): unknown {
    const forms = this.forms.peek();
    const space = this.explorer.view.peek().space || null;
    if (tool !== "gap") return { ...forms[tool], space };
    const { source, target, rank } = forms.gap;
    const sides = { source: this.side(source), target: this.side(target) };
    return { ...sides, rank: rank ? this.side(rank) : null, space };
  }

  private async suggest(): Promise<void> {
    const before = this.forms.peek();
    try {
      const suggestions = await this.explorer.client.suggestions();
      this.suggestions.value = suggestions;
      const first = suggestions.gaps[0];
      const plan = this.explorer.view.peek().plan;
      // What a person wrote while the suggestions were on their way is not written over.
      const untouched = (tool: "gap" | "gaps"): boolean =>
        this.forms.peek()[tool] === before[tool] && !(plan?.tool === tool && plan.form);
      if (first && untouched("gap")) this.change("gap", sidesOf(first));
      if (suggestions.by !== null && untouched("gaps")) this.change("gaps", { by: suggestions.by });
    } catch {
      this.suggestions.value = { gaps: [], by: null };
    }
  }
}

export function sidesOf({ source, target }: Suggestions["gaps"][number]): Pick<Forms["gap"], "source" | "target"> {
  return { source: sideOfColumn(source.column, source.keep), target: sideOfColumn(target.column, target.keep) };
}
