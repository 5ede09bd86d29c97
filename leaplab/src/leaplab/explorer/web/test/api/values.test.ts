import { expect, it } from "vitest";
import { ApiError } from "../../src/api/client";
import { decodeCategories, decodeMap, decodeMask, decodeNumbers, encodeMask, numberAt } from "../../src/api/values";
import { column } from "../run";

const label = column("metadata.label", "categorical", ["cat", "dog"]);
const loss = column("loss.cross_entropy", "continuous");
const scale = { low: 10, high: 20, median: 12, min: 0, max: 90, crowd: null, absent: 1 };

const words = (...codes: number[]): ArrayBuffer => Uint16Array.from(codes).buffer;

it("categories come in a byte where 255 suffice, else in two", () => {
  expect([...decodeCategories(Uint8Array.from([1, 255, 0]).buffer, label, 3).codes]).toEqual([1, -1, 0]);
  const many = column(
    "metadata.id",
    "categorical",
    Array.from({ length: 256 }, (_, code) => `c${code}`),
  );
  expect([...decodeCategories(words(255, 65_535, 0), many, 3).codes]).toEqual([255, -1, 0]);
});

it("numbers are places between the ends of their scale", () => {
  const values = decodeNumbers(words(0, 32_767, 65_534, 65_535), loss, scale, 4);
  expect([0, 1, 2, 3].map((row) => numberAt(values, row))).toEqual([10, 15, 20, NaN]);
});

it("points lie within -1 and 1, or nowhere", () => {
  expect([...decodeMap(words(0, 65_534, 32_767, 65_535), 2)]).toEqual([-1, 1, 0, NaN]);
});

it("a selection has a bit a row", () => {
  // numpy.packbits([1, 0, 1, 0, 0, 0, 0, 0, 0, 1], bitorder="little") is [5, 2].
  expect([...decodeMask(btoa("\x05\x02"), 10)]).toEqual([1, 0, 1, 0, 0, 0, 0, 0, 0, 1]);
  expect(encodeMask([9, 0, 2], 10)).toBe(btoa("\x05\x02"));
  expect(() => decodeMask(btoa("\x05"), 10)).toThrow(/selection.* 1 bytes where 2/);
});

it("what has another length than the run is refused by name", () => {
  expect(() => decodeNumbers(new ArrayBuffer(8), loss, scale, 3)).toThrow(/loss\.cross_entropy.* 8 bytes where 6/);
  expect(() => decodeCategories(new ArrayBuffer(7), label, 2)).toThrow(ApiError);
  expect(() => decodeMap(new ArrayBuffer(12), 2)).toThrow(/map.* 12 bytes where 8/);
});
