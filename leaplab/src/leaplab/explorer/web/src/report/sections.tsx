/** A gap between populations, and lists of samples. */

import { formatP } from "../ui/format";
import type { SampleList, ToldGap } from "./content";
import { Strip } from "./strip";

export function GapSection({ gap }: { gap: ToldGap }) {
  return (
    <section class="report-section" aria-labelledby="gap-title">
      <h2 id="gap-title">{`Domain gap: ${gap.title}`}</h2>
      <p>{gap.headline}</p>
      {gap.told.map((sentence) => (
        <p key={sentence} class="report-told">
          {sentence}
        </p>
      ))}
      {gap.columns.length > 0 && (
        <table class="report-table">
          <caption class="unseen">Columns in which they differ</caption>
          <thead>
            <tr>
              {["Column", "Effect", "p", "Source", "Target"].map((head) => (
                <th key={head} scope="col">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {gap.columns.map(({ column, effect, p, source, target }) => (
              <tr key={column}>
                <th scope="row">{column}</th>
                <td>{effect.toFixed(2)}</td>
                <td>{formatP(p)}</td>
                <td>{source}</td>
                <td>{target}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

export function ListSection({ list }: { list: SampleList }) {
  const id = `list-${list.title.replaceAll(/\W+/g, "-")}`;
  return (
    <section class="report-section" aria-labelledby={id}>
      <h2 id={id}>{list.title}</h2>
      {list.told.map((sentence) => (
        <p key={sentence} class="report-told">
          {sentence}
        </p>
      ))}
      <Strip pictures={list.samples} of={list.title} />
    </section>
  );
}
