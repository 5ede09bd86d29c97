/** How the panel words what the model made of a sample, and how its values rank. Pure. */

import type { Rank, Verdict } from "../../api/client";
import { formatCount, formatNumber } from "../../ui/format";

/** A part of a sentence; what is `strong` is the answer itself. */
export interface Word {
  text: string;
  strong?: boolean;
}

/** The verdict in words; empty for one that only names the score. */
export function verdictWords(verdict: Verdict): Word[] {
  const { kind, truth, predicted, share, missed, found } = verdict;
  if (kind === "class") {
    const said: Word[] = [{ text: "predicted " }, { text: String(predicted), strong: true }];
    if (typeof share === "number") said.push({ text: ` ${shareText(share)}` });
    if (truth === null || truth === undefined) return [...said, { text: ", truth unknown" }];
    return [{ text: "truth " }, { text: String(truth), strong: true }, { text: ", " }, ...said];
  }
  if (kind === "number") {
    return [
      { text: "truth " },
      { text: formatNumber(Number(truth)), strong: true },
      { text: ", predicted " },
      { text: formatNumber(Number(predicted)), strong: true },
    ];
  }
  if (kind === "objects") {
    const words: Word[] = [
      { text: counted(missed), strong: true },
      { text: " missed, " },
      { text: counted(verdict.false), strong: true },
      { text: " false" },
    ];
    return typeof found === "number" ? [{ text: counted(found), strong: true }, { text: " found, " }, ...words] : words;
  }
  return [];
}

/** Two digits: ".94"; what is less than certain never reads as certain. */
export function shareText(share: number): string {
  return share >= 1 ? "1" : Math.min(share, 0.99).toFixed(2).slice(1);
}

/**
 * Where a value lies among those of its state: "worst 1 %", "best 12 %", without a direction "highest" and "lowest".
 * The share counts equal values and is rounded up; where more than half are on either side it is "like most".
 */
export function rankWords({ of, least, most }: Rank, direction: string | null | undefined): string {
  if (of < 2) return "";
  const way = direction?.toLowerCase();
  const [high, low] =
    way === "upward" ? ["best", "worst"] : way === "downward" ? ["worst", "best"] : ["highest", "lowest"];
  const [count, name] = most <= least ? [most, high] : [least, low];
  if (2 * count > of) return "like most";
  if (count === 1) return `the ${name} of ${formatCount(of)}`;
  return `${name} ${percent(count / of)}`;
}

function percent(share: number): string {
  const exact = 100 * share;
  return `${exact < 1 ? Math.ceil(exact * 10 - 1e-9) / 10 : Math.ceil(exact - 1e-9)} %`;
}

function counted(count: number | null | undefined): string {
  return count === 0 ? "none" : formatNumber(count ?? NaN);
}
