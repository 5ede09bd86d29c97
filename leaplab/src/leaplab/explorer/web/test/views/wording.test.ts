import { describe, expect, it } from "vitest";
import { rankWords, shareText, verdictWords } from "../../src/views/panel/wording";

const sentence = (words: { text: string }[]): string => words.map(({ text }) => text).join("");

describe("a verdict", () => {
  it("names the truth, the prediction and its share", () => {
    const verdict = { kind: "class" as const, truth: "cat", predicted: "dog", share: 0.9412, right: false };
    expect(sentence(verdictWords(verdict))).toBe("truth cat, predicted dog .94");
    expect(sentence(verdictWords({ ...verdict, truth: null, share: null }))).toBe("predicted dog, truth unknown");
  });

  it("counts what was missed and what is false", () => {
    expect(sentence(verdictWords({ kind: "objects", missed: 2, false: 0 }))).toBe("2 missed, none false");
    expect(sentence(verdictWords({ kind: "objects", missed: 0, false: 1, found: 4 }))).toBe(
      "4 found, none missed, 1 false",
    );
  });

  it("puts numbers beside one another, and leaves a score to its value", () => {
    expect(sentence(verdictWords({ kind: "number", truth: 3.25, predicted: 3 }))).toBe("truth 3.25, predicted 3");
    expect(verdictWords({ kind: "score", column: "loss.a" })).toEqual([]);
  });
});

it("never reads as certain what is not", () => {
  expect([0, 0.004, 0.945, 0.9999, 1].map(shareText)).toEqual([".00", ".00", ".94", ".99", "1"]);
});

describe("a rank", () => {
  it("says how few are as bad or as good, rounded up", () => {
    expect(rankWords({ of: 1000, least: 991, most: 10 }, "downward")).toBe("worst 1 %");
    expect(rankWords({ of: 1000, least: 989, most: 12 }, "downward")).toBe("worst 2 %");
    expect(rankWords({ of: 1000, least: 125, most: 876 }, "downward")).toBe("best 13 %");
    expect(rankWords({ of: 70_000, least: 70_000, most: 3 }, "Upward")).toBe("best 0.1 %");
    expect(rankWords({ of: 100, least: 5, most: 96 }, "upward")).toBe("worst 5 %");
  });

  it("says only where it lies when nothing is better", () => {
    expect(rankWords({ of: 200, least: 199, most: 2 }, null)).toBe("highest 1 %");
    expect(rankWords({ of: 200, least: 20, most: 181 }, undefined)).toBe("lowest 10 %");
  });

  it("names the single worst, what most are like, and nothing of one", () => {
    expect(rankWords({ of: 5000, least: 5000, most: 1 }, "downward")).toBe("the worst of 5,000");
    expect(rankWords({ of: 100, least: 100, most: 95 }, "upward")).toBe("like most");
    expect(rankWords({ of: 1, least: 1, most: 1 }, "upward")).toBe("");
  });
});
