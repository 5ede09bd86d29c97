import { expect, it } from "vitest";
import { tilesShown } from "../../src/ui/window";

it("draws what is seen and two rows around it", () => {
  expect(tilesShown(1000, 80, 410, 160, 0)).toEqual({ columns: 5, height: 16_000, from: 0, to: 20, top: 0 });
  expect(tilesShown(1000, 80, 410, 160, 800)).toEqual({ columns: 5, height: 16_000, from: 40, to: 70, top: 640 });
});

it("ends with the last tile, and draws a narrow view's column", () => {
  const end = tilesShown(12, 80, 410, 160, 80);
  expect([end.from, end.to, end.height]).toEqual([0, 12, 240]);
  expect(tilesShown(3, 80, 10, 100, 0).columns).toBe(1);
});

it("draws nothing of nothing, and something where more was scrolled than there is", () => {
  expect(tilesShown(0, 80, 410, 160, 0)).toEqual({ columns: 5, height: 0, from: 0, to: 0, top: 0 });
  expect(tilesShown(12, 80, 410, 160, 99_999).to).toBe(12);
});
