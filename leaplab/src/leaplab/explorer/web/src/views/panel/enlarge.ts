/** A picture over the whole page, until it is clicked or Escape is pressed. */
export function enlarge(name: string, png: string): void {
  const dialog = document.createElement("dialog");
  dialog.className = "lightbox";
  dialog.ariaLabel = name;
  const image = document.createElement("img");
  image.src = png;
  image.alt = name;
  dialog.append(image);
  dialog.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
