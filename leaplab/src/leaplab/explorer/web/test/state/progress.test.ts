import { expect, it } from "vitest";
import type { Progress } from "../../src/api/client";
import { computedProjections, lookedFor, shareOf, withProgress } from "../../src/state/progress";

const map = (projection: string, state: Progress["state"], done?: number, space = "model"): Progress => ({
  what: "map",
  space,
  projection,
  state,
  detail: null,
  of: null,
  done: done ?? null,
  total: done === undefined ? null : 450,
});
const insights = (of: string | null, done: number | null): Progress => ({
  ...{ what: "insights", space: null, projection: null, state: "computing", detail: null },
  ...{ of, done, total: of === null ? null : 9 },
});

it("keeps the last word on each computation until it is over", () => {
  const heard = [map("pca", "computing"), map("pacmap", "computing"), map("pacmap", "computing", 10)];
  const working = heard.reduce(withProgress, [] as readonly Progress[]);
  expect(working).toHaveLength(2);
  expect(computedProjections(working, "model")).toEqual(["pca", "pacmap"]);
  expect(computedProjections(working, "other")).toEqual([]);
  const over = [map("pca", "ready"), map("pacmap", "failed")].reduce(withProgress, working);
  expect(over).toEqual([]);
});

it("tells the share of a map's steps, and nothing before the first", () => {
  expect(shareOf([map("pacmap", "computing", 440)], "model", "pacmap")).toBe(" 97 %");
  expect(shareOf([map("pacmap", "computing")], "model", "pacmap")).toBe("");
  expect(shareOf([map("pacmap", "computing", 9, "other")], "model", "pacmap")).toBe("");
});

it("counts the kind that is looked for now as one of all", () => {
  expect(lookedFor([insights(null, null)])).toBe("Looking for what is wrong");
  expect(lookedFor([map("pca", "computing"), insights("mislabeled_samples", 2)])).toBe(
    "Looking for mislabeled samples, 3 of 9",
  );
});
