/** Which way of a column is better: an arrow, or nothing where neither is. */
export function Better({ direction }: { direction: string | null | undefined }) {
  const arrow = { upward: "\u2191", downward: "\u2193" }[direction?.toLowerCase() ?? ""];
  if (!arrow) return null;
  return (
    <span class="better" title={arrow === "\u2191" ? "higher is better" : "lower is better"}>
      {` ${arrow}`}
    </span>
  );
}
