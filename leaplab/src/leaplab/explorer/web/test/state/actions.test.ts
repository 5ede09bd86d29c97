import { expect, it } from "vitest";
import { type Action, matching } from "../../src/state/actions";

const named = (...names: string[]): Action[] => names.map((name) => ({ group: "", name, act: () => {} }));
const found = (text: string, ...names: string[]): string[] => matching(named(...names), text).map(({ name }) => name);

it("every word has to be there, in any order and case", () => {
  expect(found("loss COLOUR", "Colour by loss", "Size by loss", "Colour by label")).toEqual(["Colour by loss"]);
});

it("what begins with the text comes first", () => {
  expect(found("loss", "Colour by loss", "Loss of training")).toEqual(["Loss of training", "Colour by loss"]);
});

it("without a text all are there, and of many the first", () => {
  expect(found("", "a", "b")).toEqual(["a", "b"]);
  expect(matching(named(...Array.from({ length: 100 }, (_, k) => `a ${k}`)), "a")).toHaveLength(40);
});
