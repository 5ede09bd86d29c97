import { describe, expect, it } from "vitest";
import { defaultForms, isLasting, type Plan, planOf, sideOfColumn } from "../../src/state/plan";
import { makeRun } from "../run";

const run = makeRun();
const read = (plan: unknown): Plan | null => planOf(JSON.stringify(plan), run);

describe("a plan in the URL", () => {
  it("comes back with its populations, whatever they hold", () => {
    const plan: Plan = {
      tool: "gap",
      form: {
        source: sideOfColumn("metadata.city & state", ["a=b"]),
        target: { by: "where", where: "metadata.label = '2' and \"x y\" > 1" },
        rank: { by: "column", column: "loss.cross_entropy", keep: [], low: 0.5, high: null },
      },
    };
    expect(read(plan)).toEqual(plan);
    expect(read({ tool: "label", form: null })).toEqual({ tool: "label", form: null });
  });

  it("falls back to what the run has", () => {
    const { gap, label, prune } = defaultForms(run);
    expect(read({ tool: "gap", form: { source: { by: "column", column: "gone", keep: ["1"] }, target: 3 } })).toEqual({
      tool: "gap",
      form: gap,
    });
    expect(read({ tool: "label", form: { budget: -3, state: "gone", apart: "gone" } })).toEqual({
      tool: "label",
      form: label,
    });
    expect(read({ tool: "prune", form: { share: 7 } })).toEqual({ tool: "prune", form: prune });
  });

  it("is none where the text is none", () => {
    for (const text of [null, "", "{", "[]", "3", '{"tool":"other"}']) expect(planOf(text, run)).toBeNull();
  });

  it("begins with training against another state, and labels what there is", () => {
    const { gap, label } = defaultForms(run);
    expect(gap.source).toEqual(sideOfColumn("sample.state", ["training"]));
    expect(gap.target).toEqual(sideOfColumn("sample.state", ["validation"]));
    expect(label.state).toBe("training");
    const unlabelled = makeRun({ states: [{ name: "unlabeled", count: 7 }] });
    expect(defaultForms(unlabelled).label).toMatchObject({ state: "unlabeled", budget: 7 });
  });

  it("lasts where no selection is part of it", () => {
    const { gap } = defaultForms(run);
    expect(isLasting({ tool: "gap", form: gap })).toBe(true);
    expect(isLasting({ tool: "gap", form: { ...gap, target: { by: "selection" } } })).toBe(false);
    expect(isLasting({ tool: "gap", form: { ...gap, rank: { by: "shown" } } })).toBe(false);
  });
});
