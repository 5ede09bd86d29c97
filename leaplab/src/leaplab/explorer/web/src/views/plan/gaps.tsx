/** The values of a column, each compared with each. */

import type { Questions } from "../../api/planning";
import { isComparable } from "../../state/plan";
import type { Planning } from "../../state/planning";
import { formatCount, formatP } from "../../ui/format";
import { Answered, AskForm, ColumnChoice, Sentences } from "./asking";

type GapsAnswer = Questions["gaps"]["answer"];
const LEVEL = 0.05;
/** Of the accent in a cell at an AUC of 1: text stays legible on it. */
const DARKEST = 45;

export function Gaps({ planning }: { planning: Planning }) {
  const { by } = planning.forms.value.gaps;
  return (
    <>
      <AskForm planning={planning} tool="gaps" ask="Compare each with each">
        <ColumnChoice
          id="gaps-by"
          label="Values of"
          columns={planning.explorer.run.columns.filter(isComparable)}
          value={by}
          change={(name) => name !== null && planning.change("gaps", { by: name })}
        />
      </AskForm>
      <Answered planning={planning} tool="gaps">
        {(answer) => <Matrix answer={answer} />}
      </Answered>
    </>
  );
}

function Matrix({ answer }: { answer: GapsAnswer }) {
  const { populations, matrix, counts } = answer;
  return (
    <>
      <div class="plan-scroll" tabIndex={0} role="group" aria-label="AUC of telling each pair apart">
        <table class="matrix" data-testid="matrix">
          <thead>
            <tr>
              <th scope="col">AUC</th>
              {populations.map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
              <th scope="col">Samples</th>
            </tr>
          </thead>
          <tbody>
            {populations.map((name, row) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                {populations.map((other, column) => (
                  <Cell key={other} auc={matrix.auc[row]![column]!} p={matrix.p[row]![column]!} />
                ))}
                <td>{formatCount(counts[row]!)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="scale-note">
        * the two differ: p at most 0.05, corrected for all pairs (Holm). An AUC of 0.5 is chance.
      </p>
      <Sentences sentences={answer.warnings} />
    </>
  );
}

function Cell({ auc, p }: { auc: number | null; p: number | null }) {
  if (auc === null || p === null) return <td />;
  const share = Math.round(DARKEST * Math.max(0, 2 * auc - 1));
  return (
    <td
      title={`p ${formatP(p)}`}
      style={{ background: `color-mix(in srgb, var(--accent) ${share}%, transparent)` }}
    >{`${auc.toFixed(2)}${p <= LEVEL ? "*" : ""}`}</td>
  );
}
