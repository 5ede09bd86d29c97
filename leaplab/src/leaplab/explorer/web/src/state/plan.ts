/** What a person asks in the plan, as plain values, and their form in the URL. Pure. */

import type { Column, Run } from "../api/client";
import type { Tool } from "../api/planning";

/** A population, as a person names it. */
export type SideForm =
  | { by: "column"; column: string; keep: string[]; low: number | null; high: number | null }
  | { by: "where"; where: string }
  | { by: "shown" }
  | { by: "selection" }
  | { by: "rest" };

export interface Forms {
  gap: { source: SideForm; target: SideForm; rank: SideForm | null };
  gaps: { by: string };
  label: { budget: number; state: string; balance: string | null; apart: string | null };
  prune: { share: number; state: string; balance: string | null; first: string | null };
  "predicted-loss": { state: string; score: string | null };
}

/** A tool, and the question that was asked with it; null before. */
export type Plan = { [T in Tool]: { tool: T; form: Forms[T] | null } }[Tool];

export const TOOLS: readonly Tool[] = ["gap", "gaps", "label", "prune", "predicted-loss"];
const STATE_COLUMN = "sample.state";
const KINDS: readonly string[] = ["where", "shown", "selection", "rest"];
export const MOST_BUDGET = 100_000;

export const isComparable = (column: Column): boolean => column.kind === "categorical";
export const isScore = (column: Column): boolean => column.group === "loss" || column.group === "metric";

/** What the forms hold before a person has changed them. */
export function defaultForms(run: Run): Forms {
  const states = run.states.map(({ name }) => name);
  const stateOr = (name: string): string => (states.includes(name) ? name : (states[0] ?? name));
  const source = stateOr("training");
  const target = states.find((name) => name !== source);
  const labelled = stateOr("unlabeled");
  const budget = run.states.find(({ name }) => name === labelled)?.count ?? 1;
  return {
    gap: {
      source: sideOfColumn(STATE_COLUMN, [source]),
      target: target === undefined ? { by: "where", where: "" } : sideOfColumn(STATE_COLUMN, [target]),
      rank: null,
    },
    gaps: { by: STATE_COLUMN },
    label: { budget: Math.max(1, Math.min(50, budget)), state: labelled, balance: null, apart: null },
    prune: { share: 0.5, state: source, balance: null, first: null },
    "predicted-loss": { state: labelled, score: null },
  };
}

export function sideOfColumn(column: string, keep: string[]): SideForm {
  return { by: "column", column, keep, low: null, high: null };
}

/** Whether a link to the question gives the same samples again. */
export function isLasting({ tool, form }: Plan): boolean {
  if (tool !== "gap" || form === null) return true;
  return [form.source, form.target, form.rank].every((side) => side?.by !== "shown" && side?.by !== "selection");
}

/** The plan of a URL's text; null where it is none. What a form lacks, or the run does not have, is as by default. */
export function planOf(text: string | null, run: Run): Plan | null {
  if (text === null) return null;
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(read)) return null;
  const tool = TOOLS.find((name) => name === (read as { tool?: unknown }).tool);
  if (!tool) return null;
  const form = (read as { form?: unknown }).form;
  return { tool, form: isObject(form) ? formOf(tool, form, run) : null } as Plan;
}

function formOf(tool: Tool, form: Record<string, unknown>, run: Run): Forms[Tool] {
  const otherwise = defaultForms(run);
  const columns = new Set(run.columns.map(({ name }) => name));
  const column = (name: unknown): string | null => (typeof name === "string" && columns.has(name) ? name : null);
  const state = (fallback: string): string =>
    run.states.some(({ name }) => name === form.state) ? (form.state as string) : fallback;
  const balance = column(form.balance);
  switch (tool) {
    case "gap": {
      const rank = sideOf(form.rank, columns);
      const { source, target } = otherwise.gap;
      return { source: sideOf(form.source, columns) ?? source, target: sideOf(form.target, columns) ?? target, rank };
    }
    case "gaps":
      return { by: column(form.by) ?? otherwise.gaps.by };
    case "label": {
      const budget = between(form.budget, 1, MOST_BUDGET, otherwise.label.budget);
      return { budget: Math.round(budget), state: state(otherwise.label.state), balance, apart: column(form.apart) };
    }
    case "prune": {
      const share = between(form.share, 0.01, 1, otherwise.prune.share);
      return { share, state: state(otherwise.prune.state), balance, first: column(form.first) };
    }
    case "predicted-loss":
      return { state: state(otherwise["predicted-loss"].state), score: column(form.score) };
  }
}

function sideOf(side: unknown, columns: ReadonlySet<string>): SideForm | null {
  if (!isObject(side)) return null;
  if (side.by === "where") return { by: "where", where: String(side.where ?? "") };
  if (typeof side.by === "string" && KINDS.includes(side.by)) return { by: side.by } as SideForm;
  if (side.by !== "column" || typeof side.column !== "string" || !columns.has(side.column)) return null;
  const end = (value: unknown): number | null => (typeof value === "number" ? value : null);
  const keep = Array.isArray(side.keep) ? side.keep.filter((value) => typeof value === "string") : [];
  return { by: "column", column: side.column, keep, low: end(side.low), high: end(side.high) };
}

function between(value: unknown, low: number, high: number, otherwise: number): number {
  return typeof value === "number" && value >= low && value <= high ? value : otherwise;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
