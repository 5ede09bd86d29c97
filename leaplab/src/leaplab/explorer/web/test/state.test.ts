import { describe, expect, it, vi } from "vitest";
import { createStore, defaultView, fromHash, toHash, type View } from "../src/state";
import { makeRun } from "./run";

const run = makeRun();

describe("the URL's hash", () => {
  it("gives back every part of a view, whatever characters its names hold", () => {
    const view: View = {
      colour: "metadata.city & state",
      size: null,
      space: "image",
      projection: "pca",
      hiddenStates: ["validation"],
      hiddenCategories: ["a=b", "c&d #1", "*absent"],
      row: 42,
    };
    expect(fromHash(`#${toHash(view)}`, run)).toEqual(view);
  });

  it("survives a second trip and the row zero", () => {
    const view = { ...defaultView(run), row: 0 };
    const once = fromHash(toHash(view), run);
    expect(once).toEqual(view);
    expect(fromHash(toHash(once), run)).toEqual(view);
  });

  it("falls back to the run's defaults where it is empty or names what the run does not have", () => {
    expect(fromHash("", run)).toEqual(defaultView(run));
    const stale = "#colour=metadata.gone&size=metadata.label&space=other&projection=umap&hide=test&off=1&row=100";
    expect(fromHash(stale, run)).toEqual(defaultView(run));
  });

  it("neither colours by a text column nor takes a row that is no number", () => {
    const view = fromHash("#colour=metadata.path&row=-1", run);
    expect(view.colour).toBe("metadata.label");
    expect(view.row).toBeNull();
    expect(fromHash("#row=1e1", run).row).toBeNull();
  });
});

describe("the store", () => {
  it("tells listeners of changes with the value before, and is silent without one", () => {
    const store = createStore(defaultView(run));
    const listener = vi.fn();
    store.subscribe(listener);
    store.set({ row: null, hiddenStates: [] });
    expect(listener).not.toHaveBeenCalled();
    store.set({ hiddenStates: ["training"] });
    expect(listener).toHaveBeenCalledTimes(1);
    const [next, previous] = listener.mock.calls[0] as [View, View];
    expect(next.hiddenStates).toEqual(["training"]);
    expect(previous.hiddenStates).toEqual([]);
    expect(store.get()).toBe(next);
  });
});
