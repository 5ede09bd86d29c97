/** The card over the map: what the page is waiting for, or what went wrong. */

import { h } from "./dom";

export class Message {
  constructor(private readonly host: HTMLElement) {}

  loading(text: string): void {
    this.show("message loading", "status", h("span", { class: "spinner" }), h("p", {}, text));
  }

  /** Stays until it is cleared; with `retry` it offers a button. */
  error(text: string, retry?: () => void): void {
    const button = h("button", { type: "button", class: "button" }, "Retry");
    if (retry) button.addEventListener("click", retry);
    this.show("message failed", "alert", h("p", {}, text), ...(retry ? [button] : []));
  }

  clear(): void {
    this.host.hidden = true;
    this.host.replaceChildren();
  }

  private show(className: string, role: string, ...content: HTMLElement[]): void {
    this.host.className = className;
    this.host.setAttribute("role", role);
    this.host.replaceChildren(...content);
    this.host.hidden = false;
  }
}
