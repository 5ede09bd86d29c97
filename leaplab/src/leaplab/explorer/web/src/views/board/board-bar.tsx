/** Which board is shown, and what is done with a whole one. */

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { Board } from "../../api/charts";
import type { Boards } from "../../state/boards";
import { Menu } from "../../ui/menu";

const PROPOSED = "";
/** What a person calls a board that begins with nothing. */
const NEW = "New board";

export function BoardBar({ boards, add }: { boards: Boards; add: () => void }) {
  const naming = useSignal<string | null>(null);
  const deleting = useSignal(false);
  const file = useRef<HTMLInputElement>(null);
  const shown = boards.shown.value;
  const own = shown !== null && !boards.isProposal;
  const name = boards.explorer.view.value.board;
  return (
    <div class="board-bar" role="toolbar" aria-label="Board">
      {naming.value !== null ? (
        <form
          class="board-naming"
          onSubmit={(event) => {
            event.preventDefault();
            boards.rename(naming.value ?? "");
            naming.value = null;
          }}
        >
          <input
            type="text"
            class="text-field"
            aria-label="Name of the board"
            data-testid="board-name"
            maxLength={100}
            value={naming.value}
            ref={(input) => input?.focus()}
            onInput={(event) => {
              naming.value = event.currentTarget.value;
            }}
            onKeyDown={(event) => {
              if (event.key === "Escape") naming.value = null;
            }}
          />
          <button type="submit" class="button">
            Rename
          </button>
        </form>
      ) : (
        <select
          class="board-select"
          aria-label="Board"
          data-testid="board-select"
          value={name ?? PROPOSED}
          onChange={(event) => boards.open(event.currentTarget.value === PROPOSED ? null : event.currentTarget.value)}
        >
          <option value={PROPOSED}>Proposed charts</option>
          {boards.names.map((each) => (
            <option key={each} value={each}>
              {each}
            </option>
          ))}
          {boards.gone.value !== null && <option value={boards.gone.value}>{boards.gone.value}</option>}
        </select>
      )}
      {deleting.value && own ? (
        <span class="board-deleting" role="group" aria-label="Delete the board">
          {`Delete \u201c${shown.name}\u201d?`}
          <button
            type="button"
            class="button danger"
            data-testid="board-delete-yes"
            onClick={() => {
              deleting.value = false;
              boards.delete();
            }}
          >
            Delete
          </button>
          <button
            type="button"
            class="link"
            onClick={() => {
              deleting.value = false;
            }}
          >
            Keep
          </button>
        </span>
      ) : (
        <Menu
          label="What to do with the board"
          text={"\u22ef"}
          testId="board-menu"
          entries={[
            { label: "New board", testId: "board-new", act: () => boards.add({ name: NEW, charts: [] } as Board) },
            {
              label: "Copy this board",
              testId: "board-copy",
              disabled: shown === null,
              act: () => shown && boards.add({ ...shown, name: own ? `${shown.name} copy` : "My board" }),
            },
            {
              label: "Rename\u2026",
              testId: "board-rename",
              disabled: !own,
              act: () => {
                naming.value = shown?.name ?? "";
              },
            },
            {
              label: "Delete\u2026",
              testId: "board-delete",
              disabled: !own,
              act: () => {
                deleting.value = true;
              },
            },
            {
              label: "Save as a file",
              testId: "board-save",
              apart: true,
              disabled: shown === null,
              act: () => boards.download(),
            },
            { label: "Open a file\u2026", testId: "board-open", act: () => file.current?.click() },
            {
              label: "Back to the proposed charts",
              testId: "board-back",
              apart: true,
              disabled: boards.isProposal,
              act: () => boards.open(null),
            },
          ]}
        />
      )}
      <input
        ref={file}
        type="file"
        hidden
        accept="application/json,.json"
        aria-label="A board's file"
        data-testid="board-file"
        onChange={(event) => {
          const [chosen] = event.currentTarget.files ?? [];
          event.currentTarget.value = "";
          if (chosen) void chosen.text().then((text) => boards.openFile(text));
        }}
      />
      {boards.isProposal && shown !== null && (
        <span class="board-note">Found by the columns of this run; change them, and they become a board of yours.</span>
      )}
      <button
        type="button"
        class="button primary board-add"
        data-testid="chart-add"
        disabled={shown === null}
        onClick={add}
      >
        Add chart
      </button>
    </div>
  );
}
