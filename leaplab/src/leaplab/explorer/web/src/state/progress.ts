/** What the server computes, and how far it is. Pure. */

import type { Progress } from "../api/client";
import { formatName } from "../ui/format";

const isSame = (a: Progress, b: Progress): boolean =>
  a.what === b.what && a.space === b.space && a.projection === b.projection;

/** What is being computed once this was told. */
export function withProgress(working: readonly Progress[], told: Progress): readonly Progress[] {
  const others = working.filter((each) => !isSame(each, told));
  return told.state === "computing" ? [...others, told] : others;
}

/** Projections of a latent space that are being computed. */
export function computedProjections(working: readonly Progress[], space: string | null): string[] {
  return working.flatMap(({ what, space: of, projection }) =>
    what === "map" && of === space && projection ? [projection] : [],
  );
}

/** " 27 %" of a map; empty where it is not known. */
export function shareOf(working: readonly Progress[], space: string, projection: string): string {
  const found = working.find((each) => each.what === "map" && each.space === space && each.projection === projection);
  return found?.total ? ` ${Math.floor((100 * (found.done ?? 0)) / found.total)} %` : "";
}

/** What of insights is looked for now. */
export function lookedFor(working: readonly Progress[]): string {
  const found = working.find(({ what }) => what === "insights");
  if (!found?.of || !found.total) return "Looking for what is wrong";
  return `Looking for ${formatName(found.of)}, ${(found.done ?? 0) + 1} of ${found.total}`;
}
