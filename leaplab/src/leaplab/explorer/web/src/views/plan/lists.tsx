/** Lists of samples: what to label, what to keep, and where the model probably fails. */

import type { Questions, Tool } from "../../api/planning";
import { decodeMask } from "../../api/values";
import { rowsOf } from "../../state/chosen";
import type { Explorer } from "../../state/explorer";
import { isComparable, isScore, MOST_BUDGET } from "../../state/plan";
import type { Planning } from "../../state/planning";
import { formatCount, formatNumber } from "../../ui/format";
import { Amount, Answered, AskForm, ColumnChoice, Sentences, StateChoice } from "./asking";
import { Picture } from "./strip";

export function Labelling({ planning }: { planning: Planning }) {
  const { explorer } = planning;
  const { columns, states } = explorer.run;
  const form = planning.forms.value.label;
  const change = (patch: Partial<typeof form>): void => planning.change("label", patch);
  const most = Math.min(MOST_BUDGET, states.find(({ name }) => name === form.state)?.count ?? 1);
  return (
    <>
      <AskForm planning={planning} tool="label" ask="Make the list">
        <div class="plan-fields">
          <Amount
            id="budget"
            label="Budget"
            unit="samples"
            least={1}
            most={most}
            value={form.budget}
            change={(budget) => change({ budget })}
          />
          <StateChoice planning={planning} id="label-state" value={form.state} change={(state) => change({ state })} />
          <ColumnChoice
            id="label-balance"
            label="Equally many of each"
            none="no matter"
            columns={columns.filter(isComparable)}
            value={form.balance}
            change={(balance) => change({ balance })}
          />
          <ColumnChoice
            id="label-apart"
            label="No value twice of"
            none="no matter"
            columns={columns.filter(({ kind }) => kind !== "continuous")}
            value={form.apart}
            change={(apart) => change({ apart })}
          />
        </div>
      </AskForm>
      <Answered planning={planning} tool="label">
        {(answer) => (
          <Listed
            planning={planning}
            tool="label"
            told={answer.told}
            notices={answer.notices}
            column="analysis.labelling_rank"
            select={[["Select them on the map", answer.rows, "rank of the list"]]}
            heads={["Rank", "Sample", "Predicted loss", "Why"]}
            rows={answer.rows}
            cells={answer.samples.map((each) => [
              String(each.rank),
              each.sample_id,
              each.predicted_loss === null ? "" : formatNumber(each.predicted_loss),
              each.reason,
            ])}
          />
        )}
      </Answered>
    </>
  );
}

export function Pruning({ planning }: { planning: Planning }) {
  const { explorer } = planning;
  const { columns, samples } = explorer.run;
  const form = planning.forms.value.prune;
  const change = (patch: Partial<typeof form>): void => planning.change("prune", patch);
  const masked = (mask: string): number[] => rowsOf(decodeMask(mask, samples));
  return (
    <>
      <AskForm planning={planning} tool="prune" ask="Make the list">
        <div class="plan-fields">
          <Amount
            id="keep"
            label="Keep"
            unit="%"
            least={1}
            most={100}
            value={Math.round(100 * form.share)}
            change={(percent) => change({ share: percent / 100 })}
          />
          <StateChoice planning={planning} id="prune-state" value={form.state} change={(state) => change({ state })} />
          <ColumnChoice
            id="prune-balance"
            label="Equally many of each"
            none="no matter"
            columns={columns.filter(isComparable)}
            value={form.balance}
            change={(balance) => change({ balance })}
          />
          <ColumnChoice
            id="prune-first"
            label="Keep first the greatest"
            none="no matter"
            columns={columns.filter(({ kind }) => kind === "continuous")}
            value={form.first}
            change={(first) => change({ first })}
          />
        </div>
      </AskForm>
      <Answered planning={planning} tool="prune">
        {(answer) => (
          <Listed
            planning={planning}
            tool="prune"
            told={answer.told}
            notices={answer.notices}
            column="analysis.pruning_kept"
            select={[
              ["Select what goes", () => masked(answer.dropped_mask), null],
              ["Select what is kept", () => masked(answer.kept_mask), null],
            ]}
            heads={["Priority", "Sample", "Cluster", "Distance to its centre", "Subgroup"]}
            rows={answer.rows}
            cells={answer.kept.map((each) => [
              each.priority === null ? "" : String(each.priority),
              each.sample_id,
              String(each.cluster),
              formatNumber(each.distance),
              each.subgroup === null ? "" : String(each.subgroup),
            ])}
          />
        )}
      </Answered>
    </>
  );
}

export function Prediction({ planning }: { planning: Planning }) {
  const form = planning.forms.value["predicted-loss"];
  const change = (patch: Partial<typeof form>): void => planning.change("predicted-loss", patch);
  return (
    <>
      <AskForm planning={planning} tool="predicted-loss" ask="Predict">
        <div class="plan-fields">
          <StateChoice planning={planning} id="loss-state" value={form.state} change={(state) => change({ state })} />
          <ColumnChoice
            id="loss-score"
            label="Loss or metric"
            none="the first loss"
            columns={planning.explorer.run.columns.filter(isScore)}
            value={form.score}
            change={(score) => change({ score })}
          />
        </div>
      </AskForm>
      <Answered planning={planning} tool="predicted-loss">
        {(answer) => <Predicted planning={planning} answer={answer} />}
      </Answered>
    </>
  );
}

function Predicted({ planning, answer }: { planning: Planning; answer: Questions["predicted-loss"]["answer"] }) {
  const [skill = "", ...others] = answer.told;
  const number = (value: number | null | undefined): string =>
    value === null || value === undefined ? "" : formatNumber(value);
  return (
    <Listed
      planning={planning}
      tool="predicted-loss"
      told={`${formatCount(answer.count)} samples, ${answer.quantity} predicted. ${skill}`}
      notices={[...others, `Fitted on ${answer.fitted_on.join(" and ")}: ${answer.recipe}.`]}
      column="analysis.predicted_loss"
      select={[[`Select the first ${formatCount(answer.rows.length)}`, answer.rows, "predicted loss"]]}
      heads={["Sample", "Predicted", "90 % within"]}
      rows={answer.rows}
      cells={answer.samples.map(({ sample_id, predicted, low, high }) => [
        sample_id,
        number(predicted),
        low === null || high === null ? "withheld" : `${number(low)} to ${number(high)}`,
      ])}
    />
  );
}

interface ListedProps {
  planning: Planning;
  tool: Tool;
  told: string;
  notices: readonly string[];
  /** That the map can be coloured by. */
  column: string;
  /** What a button says, which rows it selects, and what these are in the order of. */
  select: [string, readonly number[] | (() => number[]), string | null][];
  heads: readonly string[];
  rows: readonly number[];
  cells: readonly string[][];
}

function Listed({ planning, tool, told, notices, column, select, heads, rows, cells }: ListedProps) {
  const { explorer } = planning;
  return (
    <>
      <p class="plan-headline" data-testid="list-told">
        {told}
      </p>
      <Sentences sentences={notices} />
      <div class="plan-actions">
        {select.map(([label, wanted, by]) => (
          <button
            key={label}
            type="button"
            class="button"
            onClick={() => choose(explorer, typeof wanted === "function" ? wanted() : wanted, by)}
          >
            {label}
          </button>
        ))}
        <button
          type="button"
          class="button"
          data-testid="colour-by-list"
          onClick={() => explorer.set({ tab: "map", colour: column, hiddenCategories: [] })}
        >
          Colour the map by it
        </button>
        <button type="button" class="button" data-testid="save-table" onClick={() => void planning.saveTable(tool)}>
          Save as CSV
        </button>
      </div>
      <div class="plan-scroll" tabIndex={0} role="group" aria-label="The list">
        <table class="listed" data-testid="listed">
          <thead>
            <tr>
              <th scope="col">
                <span class="unseen">Picture</span>
              </th>
              {heads.map((head) => (
                <th key={head} scope="col">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {cells.map((values, at) => (
              <tr key={rows[at]}>
                <td class="listed-picture">
                  <Picture explorer={explorer} row={rows[at]!} label={`Open sample ${rows[at]}`} />
                </td>
                {values.map((value, column) => (
                  <td key={heads[column]}>{value}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function choose(explorer: Explorer, rows: readonly number[], by: string | null): void {
  if (by === null) explorer.select(rows, "replace");
  else explorer.chosen.choose(rows, by);
  explorer.set({ tab: "map" });
}
