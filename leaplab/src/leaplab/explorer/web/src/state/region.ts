/** A region of the open sample, and the places in other samples that look to the model like it. */

import { signal } from "@preact/signals";
import type { Client, SimilarPlaces } from "../api/client";
import { type Answer, fill } from "./answer";

/** Left, top, right and bottom, in shares of the picture's sides. */
export type Region = readonly [number, number, number, number];

/** The least share of a side that counts as drawn, and that the keys leave. */
const LEAST = 0.02;
const FIRST: Region = [0.35, 0.35, 0.65, 0.65];
const COUNT = 12;

export class RegionState {
  /** What is drawn; null where no region is asked about. */
  readonly drawn = signal<Region | null>(null);
  readonly answer = signal<Answer<SimilarPlaces> | null>(null);
  /** Share of the samples that were looked at, while that goes on for the first time. */
  readonly share = signal<number | null>(null);

  constructor(private readonly client: Client) {}

  /** Begin with a region in the middle. */
  start(): void {
    this.drawn.value = FIRST;
  }

  stop(): void {
    this.drawn.value = null;
    this.answer.value = null;
  }

  find(row: number, aborted: AbortSignal): void {
    const region = this.drawn.peek();
    if (region === null) return;
    const stop = this.client.progress(({ what, done, total }) => {
      if (what === "cells") this.share.value = total ? (done ?? 0) / total : null;
    });
    const asked = this.client.ask<SimilarPlaces>(`samples/${row}/similar-region`, { region, count: COUNT }, aborted);
    void fill(this.answer, asked, aborted).finally(() => {
      stop();
      this.share.value = null;
    });
  }
}

/** The region between two corners; null where it is a mere click. */
export function between(from: readonly [number, number], to: readonly [number, number]): Region | null {
  const [left, right] = [Math.min(from[0], to[0]), Math.max(from[0], to[0])].map(inside) as [number, number];
  const [top, bottom] = [Math.min(from[1], to[1]), Math.max(from[1], to[1])].map(inside) as [number, number];
  return right - left < LEAST || bottom - top < LEAST ? null : [left, top, right, bottom];
}

/** A region moved as far as the picture goes. */
export function moved([left, top, right, bottom]: Region, across: number, down: number): Region {
  const x = Math.max(-left, Math.min(1 - right, across));
  const y = Math.max(-top, Math.min(1 - bottom, down));
  return [left + x, top + y, right + x, bottom + y];
}

/** A region with its right and lower side moved. */
export function resized([left, top, right, bottom]: Region, across: number, down: number): Region {
  return [left, top, Math.max(left + LEAST, inside(right + across)), Math.max(top + LEAST, inside(bottom + down))];
}

function inside(share: number): number {
  return Math.max(0, Math.min(1, share));
}
