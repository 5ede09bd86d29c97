/** The charts of a board. */

import { useSignal } from "@preact/signals";
import type { BoardChart } from "../../api/charts";
import { inserted, keysOf, moved, replaced, without } from "../../state/board";
import type { Boards } from "../../state/boards";
import { BoardBar } from "./board-bar";
import { Card } from "./card";
import { ChartForm } from "./chart-form";

/** What is being written: a new chart, or the one at a place. */
interface Written {
  at: number | null;
  chart: BoardChart;
}

export function BoardView({ boards }: { boards: Boards }) {
  const writing = useSignal<Written | null>(null);
  const board = boards.shown.value;
  return (
    <section id="board" class="board" aria-label="Charts" data-testid="board" tabIndex={-1}>
      <BoardBar
        boards={boards}
        add={() => {
          writing.value = { at: null, chart: { kind: "bar" } as BoardChart };
        }}
      />
      <Problem boards={boards} />
      <div class="board-scroll">
        <Shown
          boards={boards}
          write={(written) => {
            writing.value = written;
          }}
        />
      </div>
      {writing.value && board && (
        <ChartForm
          explorer={boards.explorer}
          chart={writing.value.chart}
          isNew={writing.value.at === null}
          close={() => {
            writing.value = null;
          }}
          keep={(chart) => {
            const { at } = writing.value!;
            boards.change(at === null ? [...board.charts, chart] : replaced(board.charts, at, chart));
            writing.value = null;
          }}
        />
      )}
    </section>
  );
}

function Problem({ boards }: { boards: Boards }) {
  const problem = boards.problem.value;
  if (problem === null) return null;
  return (
    <div class="board-problem" role="alert" data-testid="board-problem">
      <span>{problem}</span>
      <button
        type="button"
        class="link"
        onClick={() => {
          boards.problem.value = null;
        }}
      >
        Close
      </button>
    </div>
  );
}

function Shown({ boards, write }: { boards: Boards; write: (written: Written) => void }) {
  const gone = boards.gone.value;
  if (gone !== null) {
    return (
      <div class="board-empty" data-testid="board-gone">
        <p>{`This run has no board \u201c${gone}\u201d; it may have been renamed or deleted.`}</p>
        <button type="button" class="button" onClick={() => boards.open(null)}>
          Show the proposed charts
        </button>
      </div>
    );
  }
  const board = boards.shown.value;
  if (!board) {
    const proposed = boards.proposed.value;
    return proposed.state === "failed" ? (
      <div class="board-empty" role="alert">
        <p>{proposed.sentence}</p>
        <button type="button" class="button" onClick={() => void boards.load()}>
          Retry
        </button>
      </div>
    ) : (
      <p class="board-empty" role="status">
        {"Looking for charts that say something\u2026"}
      </p>
    );
  }
  const { charts } = board;
  if (!charts.length) {
    return (
      <p class="board-empty" data-testid="board-empty">
        {boards.isProposal
          ? "This run has no loss, no metric and one state only, so that no chart suggests itself. Add one of its columns."
          : "This board has no charts yet. Add one."}
      </p>
    );
  }
  const keys = keysOf(charts);
  return (
    <div class="cards" data-testid="cards">
      {charts.map((chart, at) => (
        <Card
          key={`${board.name} ${keys[at]}`}
          boards={boards}
          chart={chart}
          id={`${board.name} ${keys[at]}`}
          at={at}
          count={charts.length}
          edit={() => write({ at, chart })}
          duplicate={() => boards.change(inserted(charts, at + 1, { ...chart }))}
          move={(by) => boards.change(moved(charts, at, by))}
          resize={() => boards.change(replaced(charts, at, { ...chart, width: chart.width === 2 ? 1 : 2 }))}
          remove={() => boards.change(without(charts, at))}
        />
      ))}
    </div>
  );
}
