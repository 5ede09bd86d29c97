/** What is wrong, each with some of its samples. */

import { amount, nameOf } from "../ui/differences";
import { formatCount, formatName } from "../ui/format";
import type { Report, ShownInsight } from "./content";
import { Strip } from "./strip";

export function InsightSection({ report }: { report: Report }) {
  const { insights, silent } = report;
  const whole = insights.filter(({ parent }) => parent === null || !insights.some(({ id }) => id === parent));
  return (
    <section class="report-section" aria-labelledby="insights-title">
      <h2 id="insights-title">Insights</h2>
      {insights.length === 0 && <p class="report-told">Nothing was found to be wrong.</p>}
      {whole.map((insight) => (
        <Card key={insight.id} insight={insight} parts={insights.filter(({ parent }) => parent === insight.id)} />
      ))}
      {silent.length > 0 && (
        <details class="report-silent">
          <summary>{`Looked for and not found: ${silent.map(({ kind }) => formatName(kind)).join(", ")}`}</summary>
          <ul class="report-plain">
            {silent.map(({ kind, reason }) => (
              <li key={kind}>{`${formatName(kind)}: ${reason}`}</li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

function Card({ insight, parts }: { insight: ShownInsight; parts: readonly ShownInsight[] }) {
  return (
    <article class="report-insight">
      <p class="report-kind">
        {`${formatName(insight.kind)} \u00b7 severity ${insight.severity.toFixed(2)} \u00b7 ${formatCount(insight.count)} members${insight.state === null ? "" : ` of ${insight.state}`}`}
      </p>
      <h3>{insight.title}</h3>
      <div class="report-beside">
        <div>
          <p>{insight.explanation}</p>
          <p class="report-do">{insight.to_do}</p>
        </div>
        <Apart insight={insight} />
      </div>
      <Strip pictures={insight.pictures ?? []} of={insight.title} />
      {parts.map((part) => (
        <Card key={part.id} insight={part} parts={[]} />
      ))}
    </article>
  );
}

function Apart({ insight }: { insight: ShownInsight }) {
  if (insight.differences.length === 0) return null;
  return (
    <table class="report-table">
      <caption class="unseen">What sets it apart</caption>
      <thead>
        <tr>
          <th scope="col">What sets it apart</th>
          <th scope="col">here</th>
          <th scope="col">else</th>
        </tr>
      </thead>
      <tbody>
        {insight.differences.map((difference) => (
          <tr key={difference.column}>
            <th scope="row">{nameOf(difference, (column) => column)}</th>
            <td>{amount(difference.inside)}</td>
            <td>{amount(difference.outside)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
