/** What is stored of a sample: the verdict and the scores first, the rest folded. */

import type { Column, Rank, Run, Sample } from "../../api/client";
import { Better } from "../../ui/better";
import { formatName, formatValue, groupName } from "../../ui/format";
import { rankWords, verdictWords } from "./wording";

const SCORES = "Loss and metrics";
const FIRST_SCORES = 5;

interface Fact {
  name: string;
  column: Column | undefined;
  label: string;
  value: unknown;
  rank: Rank | null;
}

/** Groups of facts in the order of the columns. */
function factsOf(sample: Sample, run: Run): Map<string, Fact[]> {
  const columns = new Map(run.columns.map((column) => [column.name, column]));
  const groups = new Map<string, Fact[]>();
  for (const { column: name, value, rank } of sample.values) {
    const column = columns.get(name);
    const of = column?.group ?? name.split(".")[0]!;
    if (of === "sample") continue;
    const title = of === "loss" || of === "metric" ? SCORES : groupName(of);
    const fact: Fact = { name, column, label: column?.label ?? name, value, rank };
    groups.set(title, [...(groups.get(title) ?? []), fact]);
  }
  return groups;
}

/** One line: what is true, what the model says, and how sure it is. */
export function VerdictLine({ sample, run }: { sample: Sample; run: Run }) {
  const { verdict } = sample;
  if (!verdict) return null;
  const tone = verdict.right === null || verdict.right === undefined ? "" : verdict.right ? "right" : "wrong";
  const words = verdictWords(verdict);
  const scored = [...factsOf(sample, run).values()].flat().find(({ name }) => name === verdict.column);
  if (words.length === 0 && !scored) return null;
  const ranked = scored?.rank ? rankWords(scored.rank, scored.column?.direction) : "";
  return (
    <p class={`verdict ${tone}`} data-testid="verdict">
      {words.map(({ text, strong }) => (strong ? <strong key={text}>{text}</strong> : text))}
      {words.length === 0 && scored && (
        <>
          {`${formatName(scored.label)} `}
          <strong>{formatValue(scored.value)}</strong>
          {ranked && `, ${ranked}`}
        </>
      )}
      {tone && <span class="unseen">{tone === "right" ? " (right)" : " (wrong)"}</span>}
    </p>
  );
}

/** How the model did comes before any picture; what is beyond the first few is folded. */
export function Scores({ sample, run }: { sample: Sample; run: Run }) {
  const facts = factsOf(sample, run).get(SCORES);
  if (!facts) return null;
  const rest = facts.slice(FIRST_SCORES);
  return (
    <section class="scores" aria-label={SCORES}>
      <FactTable facts={facts.slice(0, FIRST_SCORES)} />
      {rest.length > 0 && (
        <details class="more">
          <summary>{`${rest.length} more`}</summary>
          <FactTable facts={rest} />
        </details>
      )}
    </section>
  );
}

/** Everything else that the run holds of the sample, a group each. */
export function Facts({ sample, run }: { sample: Sample; run: Run }) {
  const groups = [...factsOf(sample, run)].filter(([title]) => title !== SCORES);
  return (
    <>
      {groups.map(([title, facts]) => (
        <details key={title} class="folded">
          <summary>
            {title}
            <span class="folded-count">{facts.length}</span>
          </summary>
          <FactTable facts={facts} />
        </details>
      ))}
    </>
  );
}

function FactTable({ facts }: { facts: Fact[] }) {
  return (
    <table class="facts">
      <tbody>
        {facts.map(({ name, column, label, value, rank }) => {
          const ranked = rank ? rankWords(rank, column?.direction) : "";
          return (
            <tr key={name}>
              <th scope="row" title={name}>
                {formatName(label)}
                <Better direction={column?.direction} />
              </th>
              <td class={typeof value === "number" ? "number" : undefined} title={String(value ?? "")}>
                {formatValue(value)}
                {ranked && <span class="rank">{`, ${ranked}`}</span>}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
