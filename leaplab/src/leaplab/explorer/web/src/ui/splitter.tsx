/** A line between two parts of the page that can be dragged, or moved by the arrow keys. */

import { useSignal } from "@preact/signals";
import type { Layout, Part } from "../state/layout";

const STEP = 16;

interface Props {
  layout: Layout;
  part: Part;
  label: string;
  /** On which side of its part the line lies. */
  side: "left" | "right" | "top";
}

export function Splitter({ layout, part, label, side }: Props) {
  const from = useSignal<{ at: number; size: number } | null>(null);
  const upright = side !== "top";
  const grows = side === "right" ? 1 : -1;
  const size = layout.sizes[part].value;
  const { least, most } = layout.ends(part);
  const at = (event: PointerEvent): number => (upright ? event.clientX : event.clientY);
  const keys: Record<string, number> = upright
    ? { ArrowLeft: -STEP * grows, ArrowRight: STEP * grows }
    : { ArrowUp: STEP, ArrowDown: -STEP };
  return (
    <div
      class={`splitter ${side}`}
      role="separator"
      tabIndex={0}
      aria-label={label}
      aria-orientation={upright ? "vertical" : "horizontal"}
      aria-valuenow={size}
      aria-valuemin={least}
      aria-valuemax={most}
      data-testid={`splitter-${part}`}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        from.value = { at: at(event), size };
      }}
      onPointerMove={(event) => {
        if (from.value) layout.resize(part, from.value.size + grows * (at(event) - from.value.at));
      }}
      onPointerUp={() => {
        from.value = null;
      }}
      onPointerCancel={() => {
        from.value = null;
      }}
      onKeyDown={(event) => {
        const by = keys[event.key];
        if (by === undefined) return;
        event.preventDefault();
        layout.resize(part, size + by);
      }}
    />
  );
}
