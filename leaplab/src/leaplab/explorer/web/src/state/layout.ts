/** How the page is laid out and coloured: a person's own, so it is kept in the browser and not in the URL. */

import { type Signal, signal } from "@preact/signals";

/** Below this width, in CSS pixels, the controls are a rail. */
const NARROW = "(max-width: 1199px)";
const PREFIX = "leaplab.";

/** Widths and heights in CSS pixels: what a person chose, and between which ends. */
const SIZES = {
  controls: { usual: 248, least: 180, most: 480 },
  details: { usual: 360, least: 260, most: 900 },
  gallery: { usual: 168, least: 84, most: 900 },
} as const;

export type Part = keyof typeof SIZES;
export type Scheme = "auto" | "light" | "dark";

export class Layout {
  readonly sizes: Record<Part, Signal<number>>;
  /** Whether the controls are unfolded. */
  readonly controls: Signal<boolean>;
  readonly gallery: Signal<boolean>;
  readonly scheme: Signal<Scheme>;
  readonly isNarrow: Signal<boolean>;

  constructor() {
    const narrow = window.matchMedia(NARROW);
    this.isNarrow = signal(narrow.matches);
    this.controls = signal(!narrow.matches && remembered("controls.open") !== "false");
    narrow.addEventListener("change", () => {
      this.isNarrow.value = narrow.matches;
      this.controls.value = !narrow.matches && remembered("controls.open") !== "false";
    });
    this.gallery = signal(remembered("gallery.open") !== "false");
    const sized = (part: Part): Signal<number> => signal(within(part, Number(remembered(part) ?? SIZES[part].usual)));
    this.sizes = { controls: sized("controls"), details: sized("details"), gallery: sized("gallery") };
    const scheme = remembered("scheme");
    this.scheme = signal(scheme === "light" || scheme === "dark" ? scheme : "auto");
  }

  resize(part: Part, size: number): void {
    this.sizes[part].value = within(part, size);
    remember(part, String(this.sizes[part].value));
  }

  ends(part: Part): { least: number; most: number } {
    return SIZES[part];
  }

  openControls(open: boolean): void {
    this.controls.value = open;
    // On a narrow page they lie over the map, and are folded away again soon.
    if (!this.isNarrow.peek()) remember("controls.open", String(open));
  }

  openGallery(open: boolean): void {
    this.gallery.value = open;
    remember("gallery.open", String(open));
  }

  setScheme(scheme: Scheme): void {
    this.scheme.value = scheme;
    remember("scheme", scheme);
  }
}

function within(part: Part, size: number): number {
  const { usual, least, most } = SIZES[part];
  return Math.round(Math.max(least, Math.min(most, Number.isFinite(size) ? size : usual)));
}

/** What the browser keeps; null where it keeps nothing, or may not. */
export function remembered(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // A browser that keeps nothing shows the usual layout the next time.
  }
}
