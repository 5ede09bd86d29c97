/** Buttons and keys that move the camera, for those who use no wheel. */

import { h } from "./dom";

export interface Camera {
  /** Above 1: closer. */
  zoom(factor: number): void;
  /** In halves of the height that is seen. */
  move(right: number, up: number): void;
  fit(): void;
}

const STEP = 0.2;
const ZOOM = 1.5;

export function addNavigation(host: HTMLElement, camera: Camera): void {
  const button = (text: string, label: string, act: () => void): HTMLElement => {
    const node = h("button", { type: "button", class: "map-button", "aria-label": label, title: label }, text);
    node.addEventListener("click", act);
    return node;
  };
  host.append(
    h(
      "div",
      { class: "map-buttons", role: "group", "aria-label": "Zoom" },
      button("+", "Zoom in", () => camera.zoom(ZOOM)),
      button("\u2212", "Zoom out", () => camera.zoom(1 / ZOOM)),
      button("\u2922", "Show the whole map", () => camera.fit()),
    ),
  );
  const keys: Record<string, () => void> = {
    ArrowLeft: () => camera.move(-STEP, 0),
    ArrowRight: () => camera.move(STEP, 0),
    ArrowUp: () => camera.move(0, STEP),
    ArrowDown: () => camera.move(0, -STEP),
    "+": () => camera.zoom(ZOOM),
    "=": () => camera.zoom(ZOOM),
    "-": () => camera.zoom(1 / ZOOM),
    "0": () => camera.fit(),
  };
  host.addEventListener("keydown", (event) => {
    if (event.target !== host || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}
