/** What the page is of. */

import type { Run } from "../api/client";
import { formatCount } from "../ui/format";

export function Header({ run }: { run: Run }) {
  const facts = [
    ["Integration", run.integration],
    ["Model", run.model],
    ["Samples", formatCount(run.samples)],
  ];
  return (
    <>
      <header class="header">
        <h1 title={run.name}>{run.name}</h1>
        <dl class="header-facts">
          {facts.map(([name, value]) => (
            <div key={name} class="header-fact">
              <dt>{name}</dt>
              <dd title={value}>{value}</dd>
            </div>
          ))}
        </dl>
      </header>
      {run.notice && (
        <aside class="notice" aria-label="Notice">
          {run.notice}
        </aside>
      )}
    </>
  );
}
