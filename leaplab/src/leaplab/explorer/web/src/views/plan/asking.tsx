/** What all questions share: fields, the button that asks, and the wait. */

import type { ComponentChildren } from "preact";
import type { Column } from "../../api/client";
import type { Questions, Tool } from "../../api/planning";
import type { Planning } from "../../state/planning";
import { formatName } from "../../ui/format";

const NONE = "";

export function Choice(props: {
  id: string;
  label: string;
  value: string;
  change: (value: string) => void;
  children: ComponentChildren;
}) {
  return (
    <div class="plan-field">
      <label for={props.id}>{props.label}</label>
      <select
        id={props.id}
        data-testid={props.id}
        value={props.value}
        onChange={(event) => props.change(event.currentTarget.value)}
      >
        {props.children}
      </select>
    </div>
  );
}

/** A column, or none. */
export function ColumnChoice(props: {
  id: string;
  label: string;
  none?: string;
  columns: Column[];
  value: string | null;
  change: (name: string | null) => void;
}) {
  return (
    <Choice
      id={props.id}
      label={props.label}
      value={props.value ?? NONE}
      change={(value) => props.change(value === NONE ? null : value)}
    >
      {props.none !== undefined && <option value={NONE}>{props.none}</option>}
      {props.columns.map(({ name, label, group }) => (
        <option key={name} value={name}>
          {`${formatName(label)} (${group})`}
        </option>
      ))}
    </Choice>
  );
}

export function StateChoice(props: { planning: Planning; id: string; value: string; change: (name: string) => void }) {
  return (
    <Choice id={props.id} label="Of the state" value={props.value} change={props.change}>
      {props.planning.explorer.run.states.map(({ name, count }) => (
        <option key={name} value={name}>
          {`${name} (${count.toLocaleString("en-US")})`}
        </option>
      ))}
    </Choice>
  );
}

/** A number, by hand or by a slider. */
export function Amount(props: {
  id: string;
  label: string;
  unit?: string;
  value: number;
  most: number;
  least: number;
  change: (value: number) => void;
}) {
  const { id, label, value, most, least } = props;
  const change = (text: string): void => {
    const number = Math.round(Number(text));
    if (text !== "" && Number.isFinite(number)) props.change(Math.min(most, Math.max(least, number)));
  };
  return (
    <div class="plan-field amount">
      <label for={id}>{label}</label>
      <div class="amount-row">
        <input
          type="range"
          min={least}
          max={most}
          value={value}
          aria-label={`${label}, by a slider`}
          onInput={(event) => change(event.currentTarget.value)}
        />
        <input
          id={id}
          data-testid={id}
          type="number"
          min={least}
          max={most}
          value={value}
          onInput={(event) => change(event.currentTarget.value)}
        />
        {props.unit && <span>{props.unit}</span>}
      </div>
    </div>
  );
}

export function AskForm(props: { planning: Planning; tool: Tool; ask: string; children: ComponentChildren }) {
  const { planning, tool } = props;
  const needsSpace = tool !== "predicted-loss" && planning.explorer.run.latent_spaces.length === 0;
  return (
    <form
      class="plan-form"
      onSubmit={(event) => {
        event.preventDefault();
        planning.ask(tool);
      }}
    >
      {needsSpace ? (
        <p class="plan-empty">
          This run has no latent space, so that nothing is near to anything else in it. Evaluate it again with --latent
          TENSOR to take one.
        </p>
      ) : (
        <>
          {props.children}
          <button type="submit" class="button primary" data-testid="ask" disabled={planning.asking.value === tool}>
            {props.ask}
          </button>
        </>
      )}
    </form>
  );
}

/** The answer, or what there is instead. */
export function Answered<T extends Tool>(props: {
  planning: Planning;
  tool: T;
  children: (answer: Questions[T]["answer"]) => ComponentChildren;
}) {
  const { planning, tool } = props;
  const answer = planning.answers.value[tool];
  if (!answer) return null;
  if (answer.state === "waiting") {
    const seconds = planning.seconds.value;
    return (
      <div class="waiting plan-waiting">
        <span class="spinner" />
        <span role="status">Still computing</span>
        {seconds > 1 && <span aria-hidden="true">{`${seconds} s`}</span>}
        <button type="button" class="link" data-testid="cancel" onClick={() => planning.cancel()}>
          Cancel
        </button>
      </div>
    );
  }
  if (answer.state === "failed") {
    return (
      <div class="plan-empty" role="alert" data-testid="plan-failed">
        {answer.sentence}
      </div>
    );
  }
  return (
    <div class="plan-answer" data-testid="answer">
      {props.children(answer.value as Questions[T]["answer"])}
      {planning.unsaved.value !== null && (
        <p class="panel-error" role="alert">
          {planning.unsaved.value}
        </p>
      )}
    </div>
  );
}

export function Sentences({ sentences }: { sentences: readonly string[] }) {
  if (!sentences.length) return null;
  return (
    <ul class="plan-notices">
      {sentences.map((sentence) => (
        <li key={sentence}>{sentence}</li>
      ))}
    </ul>
  );
}
