import { signal } from "@preact/signals";
import { describe, expect, it } from "vitest";
import type { Suggestions } from "../../src/api/planning";
import type { Explorer } from "../../src/state/explorer";
import { defaultForms, sideOfColumn } from "../../src/state/plan";
import { Planning } from "../../src/state/planning";
import { makeRun } from "../run";

const SUGGESTED = {
  gaps: [
    {
      source: { column: "sample.state", keep: ["training"] },
      target: { column: "sample.state", keep: ["unlabeled"] },
    },
  ],
  by: "metadata.city",
} as unknown as Suggestions;

/** A plan that is open, and what lets its suggestions arrive. */
function opened() {
  let arrive = (_: Suggestions): void => {};
  const suggestions = new Promise<Suggestions>((resolve) => {
    arrive = resolve;
  });
  const run = makeRun();
  const view = signal({ tab: "plan", plan: null });
  const explorer = { run, view, client: { suggestions: () => suggestions } } as unknown as Explorer;
  const planning = new Planning(explorer);
  planning.start();
  return {
    planning,
    run,
    arrive: async () => {
      arrive(SUGGESTED);
      await suggestions;
      await Promise.resolve();
    },
  };
}

describe("what is suggested", () => {
  it("fills forms that nobody touched", async () => {
    const { planning, arrive } = opened();
    await arrive();
    expect(planning.forms.value.gap.target).toEqual(sideOfColumn("sample.state", ["unlabeled"]));
    expect(planning.forms.value.gaps.by).toBe("metadata.city");
  });

  it("is not written over what a person wrote while it was on its way", async () => {
    const { planning, run, arrive } = opened();
    const source = sideOfColumn("metadata.city", ["north"]);
    planning.change("gap", { source });
    await arrive();
    expect(planning.suggestions.value).toBe(SUGGESTED);
    expect(planning.forms.value.gap).toEqual({ ...defaultForms(run).gap, source });
    expect(planning.forms.value.gaps.by).toBe("metadata.city");
  });
});
