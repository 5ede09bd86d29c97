/** All sections of a report, one below the other. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Theme } from "../points/scales";
import { formatCount, formatRounded, formatSamples, groupName } from "../ui/format";
import { BoardSection } from "./boards";
import type { Report } from "./content";
import { InsightSection } from "./insights";
import { MapSection } from "./map";
import { GapSection, ListSection } from "./sections";

const dark = window.matchMedia("(prefers-color-scheme: dark)");

export function ReportPage({ report }: { report: Report }) {
  const theme = useSignal<Theme>(dark.matches ? "dark" : "light");
  const chosen = useSignal(false);
  useEffect(() => {
    document.documentElement.dataset.scheme = theme.value;
  }, [theme.value]);
  useEffect(() => {
    dark.addEventListener("change", () => {
      if (!chosen.value) theme.value = dark.matches ? "dark" : "light";
    });
    // Paper is white.
    let before: Theme = "light";
    window.addEventListener("beforeprint", () => {
      before = theme.value;
      theme.value = "light";
    });
    window.addEventListener("afterprint", () => {
      theme.value = before;
    });
  }, []);
  const other: Theme = theme.value === "dark" ? "light" : "dark";
  return (
    <>
      <header class="report-head">
        <div>
          <h1>{report.name}</h1>
          <p class="report-told">
            {`${report.integration}, model ${report.model}; evaluated ${report.evaluated.slice(0, 10)}, written ${report.made} by leaplab ${report.version}`}
          </p>
        </div>
        <button
          type="button"
          class="report-scheme"
          onClick={() => {
            chosen.value = true;
            theme.value = other;
          }}
        >
          {`Change to ${other}`}
        </button>
      </header>
      <main class="report">
        {report.notices.map((notice) => (
          <p key={notice} class="report-notice">
            {notice}
          </p>
        ))}
        <Headline report={report} />
        {report.map && <MapSection map={report.map} theme={theme.value} />}
        <BoardSection boards={report.boards} map={report.map} theme={theme.value} />
        <InsightSection report={report} />
        {report.gap && <GapSection gap={report.gap} />}
        {report.lists.map((list) => (
          <ListSection key={list.title} list={list} />
        ))}
        {report.left_out.length > 0 && (
          <section class="report-section" aria-labelledby="left-out">
            <h2 id="left-out">Not in this report</h2>
            <ul class="report-plain">
              {report.left_out.map((sentence) => (
                <li key={sentence}>{sentence}</li>
              ))}
            </ul>
          </section>
        )}
      </main>
    </>
  );
}

function Headline({ report }: { report: Report }) {
  const { headline } = report;
  return (
    <section class="report-section" aria-labelledby="headline-title">
      <h2 id="headline-title">{headline ? groupName(headline.label) : "Samples"}</h2>
      <dl class="report-scores">
        {report.states.map(({ name, count }) => {
          const score = headline?.states.find(({ state }) => state === name);
          return (
            <div key={name}>
              <dt>{name}</dt>
              <dd class="report-score">{score ? formatRounded(score.value) : formatCount(count)}</dd>
              <dd>
                {score
                  ? `of ${formatSamples(score.count)}${score.wrong === null || score.wrong === undefined ? "" : `, ${formatCount(score.wrong)} wrong`}`
                  : "samples without a score"}
              </dd>
            </div>
          );
        })}
        {headline &&
          (["best", "worst"] as const).map((which) => {
            const found = headline[which];
            return (
              found && (
                <div key={which}>
                  <dt>{`${which} of ${headline.judged}`}</dt>
                  <dd class="report-score">{found.name}</dd>
                  <dd>{formatRounded(found.value)}</dd>
                </div>
              )
            );
          })}
      </dl>
      {headline === null && <p class="report-told">This run has no loss and no metric to judge the model by.</p>}
    </section>
  );
}
