import { expect, it } from "vitest";
import type { Visual } from "../../src/api/client";
import { arrange, fits, frameOf } from "../../src/views/panel/layers";

const picture = (name: string, size: [number, number]): Visual => ({
  name,
  type: "Image",
  png: "data:image/png;base64,",
  width: size[0],
  height: size[1],
  data: { size, area: size },
});

it("keeps pictures apart from bars and from what failed", () => {
  const bars: Visual = { name: "bars", type: "HorizontalBar", png: "data:", data: { labels: [], values: [] } };
  const failed: Visual = { name: "boxes", type: "ImageWithBBox", error: "It failed." };
  const { layers, others } = arrange([picture("photo", [32, 32]), bars, failed, picture("mask", [32, 32])]);
  expect(layers.map(({ visual }) => visual.name)).toEqual(["photo", "mask"]);
  expect(others.map(({ name }) => name)).toEqual(["bars", "boxes"]);
});

it("lays over one another what has one shape, whatever its size", () => {
  expect(fits([32, 32], [640, 640])).toBe(true);
  expect(fits([1280, 720], [640, 360])).toBe(true);
  expect(fits([640, 640], [640, 360])).toBe(false);
});

it("lets small images grow by whole factors, and large ones fit", () => {
  expect(frameOf([28, 28], [142, 142])).toEqual([140, 140]);
  expect(frameOf([640, 480], [320, 320])).toEqual([320, 240]);
  expect(frameOf([100, 1000], [320, 200])).toEqual([20, 200]);
  expect(frameOf([200, 100], [326, 236])).toEqual([326, 163]);
});
