/** Two populations, and whether, by how much and in what they differ. */

import type { Questions } from "../../api/planning";
import type { SideForm } from "../../state/plan";
import { type Planning, sidesOf } from "../../state/planning";
import { formatCount, formatName, formatNumber, formatP } from "../../ui/format";
import { Answered, AskForm, Sentences } from "./asking";
import { SideField } from "./side";
import { Strip } from "./strip";

type GapAnswer = Questions["gap"]["answer"];
const NEARNESS = "analysis.nearness";
/** Columns that are listed. */
const MOST = 20;

export function Gap({ planning }: { planning: Planning }) {
  const form = planning.forms.value.gap;
  const change = (patch: Partial<typeof form>): void => planning.change("gap", patch);
  const suggested = planning.suggestions.value;
  const others = form.source.by === "rest" || form.target.by === "rest";
  return (
    <>
      {suggested?.gaps.length === 0 && (
        <p class="plan-note">
          This run has one state only, and its integration names no domains. Compare what you select on the map with
          everything else, or write conditions.
        </p>
      )}
      {suggested !== null && suggested.gaps.length > 0 && (
        <div class="plan-suggestions" role="group" aria-label="Populations worth comparing">
          {suggested.gaps.map((each) => (
            <button
              key={each.title}
              type="button"
              class="filter"
              onClick={() => {
                change(sidesOf(each));
                planning.ask("gap");
              }}
            >
              {each.title}
            </button>
          ))}
        </div>
      )}
      <AskForm planning={planning} tool="gap" ask="Compare">
        <div class="sides">
          {(["source", "target"] as const).map((which) => (
            <SideField
              key={which}
              planning={planning}
              id={which}
              title={which === "source" ? "Source" : "Target"}
              side={form[which]}
              rest={!others || form[which].by === "rest"}
              change={(side) => change({ [which]: side } as Partial<typeof form>)}
            />
          ))}
          {form.rank ? (
            <div class="side-rank">
              <SideField
                planning={planning}
                id="rank"
                title="Rank by nearness to the target"
                side={form.rank}
                rest={false}
                change={(rank) => change({ rank })}
              />
              <button type="button" class="link" onClick={() => change({ rank: null })}>
                Rank nothing
              </button>
            </div>
          ) : (
            <button
              type="button"
              class="link side-add"
              data-testid="rank-add"
              onClick={() => change({ rank: first(form.source) })}
            >
              + Rank samples by their nearness to the target
            </button>
          )}
        </div>
      </AskForm>
      <Answered planning={planning} tool="gap">
        {(answer) => <GapTold planning={planning} answer={answer} />}
      </Answered>
    </>
  );
}

/** What is likely ranked: the source itself, where that can be told once more. */
function first(source: SideForm): SideForm {
  return source.by === "rest" ? { by: "shown" } : source;
}

function GapTold({ planning, answer }: { planning: Planning; answer: GapAnswer }) {
  const { explorer } = planning;
  const [low, high] = answer.auc_interval as [number, number];
  const facts: [string, string][] = [
    ["p", formatP(answer.p)],
    ["AUC", `${answer.auc.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`],
    ["Energy distance", formatNumber(answer.statistics.energy)],
    ["Second moments", formatNumber(answer.statistics.moments)],
    ["Between the centres", formatNumber(answer.centroid_distance)],
  ];
  return (
    <>
      <p class="plan-headline" data-testid="gap-headline">
        {answer.headline}
      </p>
      <p class="plan-told">
        {`Source: ${answer.source.where} (${formatCount(answer.source.count)}). Target: ${answer.target.where} (${formatCount(answer.target.count)}).`}
      </p>
      <AucMeter auc={answer.auc} low={low} high={high} />
      <dl class="plan-facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p class="plan-told">{answer.power}</p>
      <Sentences sentences={answer.warnings} />
      <h3>What explains it</h3>
      <Explained planning={planning} answer={answer} />
      {answer.count > 0 && (
        <>
          <h3>{`${formatCount(answer.count)} samples by their nearness to the target`}</h3>
          <div class="plan-actions">
            <button
              type="button"
              class="button"
              data-testid="colour-by-nearness"
              onClick={() => explorer.set({ tab: "map", colour: NEARNESS, hiddenCategories: [] })}
            >
              Colour the map by nearness
            </button>
            <button
              type="button"
              class="button"
              onClick={() => {
                explorer.chosen.choose(answer.rows, "nearness to the target");
                explorer.set({ tab: "map" });
              }}
            >
              {`Select the nearest ${formatCount(answer.rows.length)}`}
            </button>
          </div>
          <Strip explorer={explorer} rows={answer.rows} of="Nearest to the target" />
        </>
      )}
      <div class="plan-actions">
        <button type="button" class="link" data-testid="save-table" onClick={() => void planning.saveTable("gap")}>
          {answer.count > 0 ? "Save the ranked samples as CSV" : "Save the columns as CSV"}
        </button>
      </div>
    </>
  );
}

/** Where the AUC lies between chance and certainty. */
function AucMeter({ auc, low, high }: { auc: number; low: number; high: number }) {
  const place = (value: number): number => 100 * Math.min(1, Math.max(0, value));
  return (
    <div class="auc" role="img" aria-label={`AUC ${auc.toFixed(2)} on a scale from 0 to 1, where 0.5 is chance`}>
      <span class="auc-chance" />
      <span class="auc-interval" style={{ left: `${place(low)}%`, width: `${place(high) - place(low)}%` }} />
      <span class="auc-value" style={{ left: `${place(auc)}%` }} />
      <span class="auc-name auc-low">0</span>
      <span class="auc-name auc-middle">0.5: chance</span>
      <span class="auc-name auc-high">1: told apart always</span>
    </div>
  );
}

function Explained({ planning, answer }: { planning: Planning; answer: GapAnswer }) {
  const { explorer } = planning;
  const labels = new Map(explorer.run.columns.map(({ name, label }) => [name, formatName(label)]));
  const unexplaining = answer.unexplaining.map((name) => labels.get(name) ?? name).join(", ");
  return (
    <>
      {answer.columns.length === 0 ? (
        <p class="plan-told">They differ in no column.</p>
      ) : (
        <div class="plan-scroll" tabIndex={0} role="group" aria-label="Columns in which they differ">
          <table class="explained-by" data-testid="explained">
            <thead>
              <tr>
                {["Column", "Effect", "", "p", "Source", "Target"].map((head, at) => (
                  <th key={head || at} scope="col">
                    {head || <span class="unseen">Bar</span>}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {answer.columns.slice(0, MOST).map((each, at) => (
                <tr key={each.column}>
                  <th scope="row">
                    <button
                      type="button"
                      class="link"
                      title={`Colour the map by ${each.column}`}
                      onClick={() => explorer.set({ tab: "map", colour: each.column, hiddenCategories: [] })}
                    >
                      {labels.get(each.column) ?? each.column}
                    </button>
                  </th>
                  <td>{each.effect.toFixed(2)}</td>
                  <td class="effect-cell">
                    <span class="bar-track">
                      <span class="bar-fill" style={{ left: "0", width: `${100 * each.effect}%` }} />
                    </span>
                  </td>
                  <td>{formatP(each.p)}</td>
                  <td>{answer.told[at]![0]}</td>
                  <td>{answer.told[at]![1]}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {answer.columns.length > MOST && (
        <p class="scale-note">{`${answer.columns.length - MOST} more columns with less effect`}</p>
      )}
      {unexplaining && (
        <p class="scale-note">{`Not compared, as the populations are made by them: ${unexplaining}.`}</p>
      )}
    </>
  );
}
