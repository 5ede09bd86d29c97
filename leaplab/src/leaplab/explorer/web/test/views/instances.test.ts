import { expect, it } from "vitest";
import type { Instance } from "../../src/api/client";
import { layoutInstances } from "../../src/views/panel/instances";

const columns = [
  { name: "name", label: "name" },
  { name: "mask_share", label: "mask_share" },
  { name: "metadata.torn", label: "torn" },
  { name: "metadata.weight", label: "weight" },
  { name: "metric.iou", label: "iou", direction: "upward" },
];
const nut: Instance = { number: 0, name: "nut", mask_share: 0.25, "metadata.torn": false, "metric.iou": 0.123456 };
const unknown: Instance = { number: 1, name: null, mask_share: null, "metadata.torn": null, "metric.iou": "nan" };

it("gives each instance a row by its number, with absent values as dashes", () => {
  expect(layoutInstances([nut, unknown], columns).rows).toEqual([
    { number: 0, cells: ["nut", "0.25", "false", "0.1235"] },
    { number: 1, cells: ["\u2014", "\u2014", "\u2014", "nan"] },
  ]);
});

it("leaves out columns of which no instance has a value", () => {
  expect(layoutInstances([nut, unknown], columns).columns.map(({ name }) => name)).toEqual([
    "name",
    "mask_share",
    "metadata.torn",
    "metric.iou",
  ]);
  expect(layoutInstances([unknown], columns)).toEqual({
    columns: [columns[4]],
    rows: [{ number: 1, cells: ["nan"] }],
  });
});

it("has no rows for a sample without instances", () => {
  expect(layoutInstances([], columns)).toEqual({ columns: [], rows: [] });
});
