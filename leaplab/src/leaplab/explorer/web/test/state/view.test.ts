import { describe, expect, it } from "vitest";
import { defaultView, fromHash, isSameView, toHash, type View } from "../../src/state/view";
import { column, makeRun } from "../run";

const run = makeRun();

describe("the URL's hash", () => {
  it("gives back every part of a view, whatever characters its names hold", () => {
    const view: View = {
      tab: "plan",
      board: "Mine & yours",
      plan: { tool: "prune", form: { share: 0.25, state: "validation", balance: "metadata.label", first: null } },
      points: "samples",
      tiles: "samples",
      colour: "metadata.city & state",
      size: null,
      sort: "metadata.city & state",
      objectSort: null,
      space: "image",
      projection: "pca",
      hiddenStates: ["validation"],
      hiddenCategories: ["a=b", "c&d #1", "*absent"],
      filters: [
        { column: "metadata.city & state", keep: ["a=b", null] },
        { column: "loss.cross_entropy", low: 0.5, high: 2 },
      ],
      object: 3,
      sample: "validation/a b&c/7",
      tag: "look at: a/b & c? #1",
      insight: null,
    };
    expect(fromHash(`#${toHash(view)}`, run)).toEqual(view);
  });

  it("keeps the objects' own columns where the points are objects, and knows of no objects where there are none", () => {
    const objects = { count: 6, columns: [column("name", "categorical", ["nut"]), column("metric.iou", "continuous")] };
    const withObjects = makeRun({ objects: { ...objects, colour: "metric.iou" } });
    const hash =
      "#points=objects&tiles=objects&colour=name&size=metric.iou&sort=loss.cross_entropy&objectsort=name&sample=test/0&object=4";
    const view = fromHash(hash, withObjects);
    expect([view.points, view.tiles, view.colour, view.size, view.object]).toEqual([
      "objects",
      "objects",
      "name",
      "metric.iou",
      4,
    ]);
    expect([view.sort, view.objectSort]).toEqual(["loss.cross_entropy", "name"]);
    expect(fromHash(hash, run).objectSort).toBeNull();
    expect(fromHash(toHash(view), withObjects)).toEqual(view);
    expect(fromHash("#points=objects&colour=loss.cross_entropy", withObjects).colour).toBe("metric.iou");
    expect(fromHash(hash, run).points).toBe("samples");
    expect(fromHash("#sample=test/0&object=one", run).object).toBeNull();
  });

  it("survives a second trip", () => {
    const view = { ...defaultView(run), sample: "test/0" };
    const once = fromHash(toHash(view), run);
    expect(once).toEqual(view);
    expect(fromHash(toHash(once), run)).toEqual(view);
  });

  it("names a tag or an insight, and not both", () => {
    const view: View = { ...defaultView(run), insight: "0a1b2c" };
    expect(fromHash(toHash(view), run)).toEqual(view);
    expect(fromHash(`${toHash(view)}&tag=odd`, run)).toEqual({ ...view, tag: "odd", insight: null });
  });

  it("falls back to the run's defaults where it is empty or names what the run does not have", () => {
    expect(fromHash("", run)).toEqual(defaultView(run));
    const stale = "#colour=metadata.gone&size=metadata.label&space=other&projection=umap&hide=test&off=1";
    expect(fromHash(stale, run)).toEqual(defaultView(run));
  });

  it("drops filters that are none of this run", () => {
    const texts = [
      "{",
      '{"column":"loss.gone","low":1}',
      '{"column":"loss.cross_entropy","keep":["1"]}',
      '{"column":"metadata.label"}',
    ];
    const hash = texts.map((text) => `filter=${encodeURIComponent(text)}`).join("&");
    expect(fromHash(hash, run).filters).toEqual([]);
  });

  it("does not colour by a text column", () => {
    expect(fromHash("#colour=metadata.path", run).colour).toBe("metadata.label");
  });

  it("tells whether two views show the same", () => {
    const view = defaultView(run);
    expect(isSameView(view, { ...view, hiddenStates: [] })).toBe(true);
    expect(isSameView(view, { ...view, hiddenStates: ["validation"] })).toBe(false);
  });
});
