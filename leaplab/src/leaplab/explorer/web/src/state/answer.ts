/** What was asked of the server, as the views show it. */

import { ApiError } from "../api/client";

/** On its way, here, or the sentence why it is not. */
export type Answer<T> = { state: "waiting" } | { state: "here"; value: T } | { state: "failed"; sentence: string };

export function sentenceOf(error: unknown): string {
  return error instanceof ApiError ? error.message : `The page failed (${String(error)}); reload it.`;
}
