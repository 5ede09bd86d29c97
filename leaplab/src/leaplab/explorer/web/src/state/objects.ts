/** Which sample each object belongs to, and what follows from that. Pure, but for the class that loads it. */

import { signal } from "@preact/signals";
import type { Client, Run } from "../api/client";

export interface Owners {
  /** Row of the sample of each object. */
  rows: Uint32Array;
  /** Its number there. */
  numbers: Uint32Array;
}

/** Rows and numbers of pairs that come one after the other. */
export function decodeOwners(pairs: Uint32Array): Owners {
  const count = pairs.length / 2;
  return {
    rows: Uint32Array.from({ length: count }, (_, object) => pairs[2 * object]!),
    numbers: Uint32Array.from({ length: count }, (_, object) => pairs[2 * object + 1]!),
  };
}

/** 1 for each object whose sample is in a mask of samples. */
export function objectsOf(samples: Uint8Array, { rows }: Owners): Uint8Array {
  return Uint8Array.from(rows, (row) => samples[row]!);
}

/** 1 for each sample that has an object in a mask of objects. */
export function samplesOf(objects: Uint8Array, { rows }: Owners, samples: number): Uint8Array {
  const mask = new Uint8Array(samples);
  for (let object = 0; object < rows.length; object++) if (objects[object]) mask[rows[object]!] = 1;
  return mask;
}

/** The place of a sample's object among all; null where there is none. */
export function placeOf(row: number, number: number, { rows, numbers }: Owners): number | null {
  // Objects are by sample and number, so that the first of a sample can be halved for.
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle]! < row) low = middle + 1;
    else high = middle;
  }
  for (let object = low; rows[object] === row; object++) if (numbers[object] === number) return object;
  return null;
}

/** The objects of a run, as far as the page has them. */
export class ObjectState {
  /** Null until they are needed and here. */
  readonly owners = signal<Owners | null>(null);
  /** 1 for each object that was drawn around, and the selection of samples that came of it. */
  readonly chosen = signal<{ mask: Uint8Array; samples: Uint8Array | null } | null>(null);
  readonly order = signal<Uint32Array | null>(null);
  private asked: Promise<void> | null = null;

  constructor(
    readonly run: Run,
    private readonly client: Client,
  ) {}

  /** Load whose they are, once. Rejects with an ApiError. */
  load(): Promise<void> {
    if (!this.run.objects) return Promise.resolve();
    this.asked ??= this.client.owners().then(
      (pairs) => {
        this.owners.value = decodeOwners(pairs);
      },
      (error: unknown) => {
        this.asked = null;
        throw error;
      },
    );
    return this.asked;
  }
}
