/** What the parts of the panel have in common. */

import type { ComponentChildren } from "preact";
import type { Answer } from "../../state/answer";

interface WaitedProps<T> {
  answer: Answer<T>;
  waiting: string;
  retry: () => void;
  children: (value: T) => ComponentChildren;
}

/** A request's progress, then its result or its error with a retry. */
export function Waited<T>({ answer, waiting, retry, children }: WaitedProps<T>) {
  if (answer.state === "here") return <>{children(answer.value)}</>;
  if (answer.state === "waiting") {
    return (
      <p class="waiting" role="status">
        <span class="spinner" />
        {waiting}
      </p>
    );
  }
  return (
    <div class="panel-error" role="alert">
      <p>{answer.sentence}</p>
      <button type="button" class="button" onClick={retry}>
        Retry
      </button>
    </div>
  );
}

export function Group({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="panel-group">
      <h3>{title}</h3>
      {children}
    </section>
  );
}
