import { expect, it } from "vitest";
import { decodeOwners, objectsOf, placeOf, samplesOf } from "../../src/state/objects";

// Three objects of sample 0, none of 1, one of 2 and two of 3.
const owners = decodeOwners(Uint32Array.from([0, 0, 0, 1, 0, 2, 2, 0, 3, 0, 3, 1]));

it("tells whose each object is", () => {
  expect([...owners.rows]).toEqual([0, 0, 0, 2, 3, 3]);
  expect([...owners.numbers]).toEqual([0, 1, 2, 0, 0, 1]);
});

it("goes from samples to objects and back", () => {
  expect([...objectsOf(Uint8Array.from([1, 1, 0, 1]), owners)]).toEqual([1, 1, 1, 0, 1, 1]);
  expect([...samplesOf(Uint8Array.from([0, 0, 1, 1, 0, 0]), owners, 4)]).toEqual([1, 0, 1, 0]);
});

it("finds the place of every object, and none of what there is not", () => {
  for (let place = 0; place < 6; place++) {
    expect(placeOf(owners.rows[place]!, owners.numbers[place]!, owners)).toBe(place);
  }
  expect(placeOf(1, 0, owners)).toBeNull();
  expect(placeOf(3, 2, owners)).toBeNull();
  expect(placeOf(9, 0, owners)).toBeNull();
});
