/** What columns and maps are, decoded. Pure. */

import { ApiError, type Column, type Scale } from "./client";

/** Codes index `column.categories`; -1 where the sample has no value. */
export interface CategoricalValues {
  kind: "categorical";
  column: Column;
  codes: Int32Array;
}

/** Places between the ends of the scale, 0 to STEPS; ABSENT where the sample has no value. */
export interface ContinuousValues {
  kind: "continuous";
  column: Column;
  places: Uint16Array;
  scale: Scale;
}

export type ColumnValues = CategoricalValues | ContinuousValues;

export const ABSENT = 65_535;
export const STEPS = 65_534;
const ABSENT_BYTE = 255;

/** A byte a sample where the column has at most 255 categories, else two; throws where the length is not the run's. */
export function decodeCategories(buffer: ArrayBuffer, column: Column, samples: number): CategoricalValues {
  const narrow = (column.categories ?? []).length <= ABSENT_BYTE;
  checkLength(buffer, samples * (narrow ? 1 : 2), `The column ${column.name}`);
  const codes = narrow ? new Uint8Array(buffer) : new Uint16Array(buffer);
  const absent = narrow ? ABSENT_BYTE : ABSENT;
  return { kind: "categorical", column, codes: Int32Array.from(codes, (code) => (code === absent ? -1 : code)) };
}

export function decodeNumbers(buffer: ArrayBuffer, column: Column, scale: Scale, samples: number): ContinuousValues {
  checkLength(buffer, samples * 2, `The column ${column.name}`);
  return { kind: "continuous", column, places: new Uint16Array(buffer), scale };
}

/** x0 y0 x1 y1 ..., each within [-1, 1]; NaN for samples that have no place. */
export function decodeMap(buffer: ArrayBuffer, samples: number): Float32Array {
  checkLength(buffer, samples * 4, "The map");
  return Float32Array.from(new Uint16Array(buffer), (code) => (code === ABSENT ? NaN : (2 * code) / STEPS - 1));
}

/** The value of a row, to a 65,534th of the scale; NaN where there is none. */
export function numberAt({ places, scale }: ContinuousValues, row: number): number {
  const place = places[row]!;
  return place === ABSENT ? NaN : scale.low + (place / STEPS) * (scale.high - scale.low);
}

function checkLength(buffer: ArrayBuffer, bytes: number, what: string): void {
  if (buffer.byteLength === bytes) return;
  throw new ApiError(
    `${what} came with ${buffer.byteLength} bytes where ${bytes} were expected; reload the page.`,
    null,
  );
}

/** 1 for each row whose bit is set, of base64: the first row is the lowest bit of the first byte. */
export function decodeMask(base64: string, samples: number): Uint8Array {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  checkLength(bytes.buffer, Math.ceil(samples / 8), "The selection");
  const mask = new Uint8Array(samples); // a loop: `from` takes ten times as long for a million
  for (let row = 0; row < samples; row++) mask[row] = (bytes[row >> 3]! >> (row & 7)) & 1;
  return mask;
}

/** The other way round. */
export function encodeMask(rows: Iterable<number>, samples: number): string {
  const bytes = new Uint8Array(Math.ceil(samples / 8));
  for (const row of rows) bytes[row >> 3]! |= 1 << (row & 7);
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
