/** What was asked of the server, as the views show it. */

import type { Signal } from "@preact/signals";
import { ANOTHER_RUN, ApiError } from "../api/client";

/** On its way, here, or the sentence why it is not. */
export type Answer<T> = { state: "waiting" } | { state: "here"; value: T } | { state: "failed"; sentence: string };

export function sentenceOf(error: unknown): string {
  return error instanceof ApiError ? error.message : `The page failed (${String(error)}); reload it.`;
}

/** Tell that an answer is on its way, then what it is; resolves to it, or to null where there is none. */
export async function fill<T>(
  into: Signal<Answer<T> | null>,
  answer: Promise<T>,
  aborted: AbortSignal,
): Promise<T | null> {
  into.value = { state: "waiting" };
  try {
    const value = await answer;
    if (!aborted.aborted) into.value = { state: "here", value };
    return value;
  } catch (error) {
    if (error instanceof ApiError && error.status === ANOTHER_RUN) location.reload();
    if (!aborted.aborted) into.value = { state: "failed", sentence: sentenceOf(error) };
    return null;
  }
}
