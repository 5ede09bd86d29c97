"""Draw the figures of the READMEs from a run of the real data: `make figures`.

They are pictures of the explorer, so that a figure shows what a reader will see. Rows are those of the run
`runs/mnist_cnn` over MNIST's 70,000 digits.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser import chromium_browser, served_run  # noqa: E402 - the path comes first

TIMEOUT = 90_000  # ms
SETTLE = 1_500
TRAINING_SAMPLES = 60_000


@dataclass(frozen=True)
class Figure:
    """A picture of the page: `part` is a test id, or empty for the whole window."""

    path: str
    view: dict[str, str]
    part: str = ""
    width: int = 1440
    height: int = 900


def view(*, hide: str = "", row: int | None = None, colour: str = "metadata.label") -> dict[str, str]:
    """The URL hash of a view of the map, sized by the loss."""
    parameters = {"colour": colour, "size": "loss.cross_entropy", "space": "model", "projection": "pacmap"}
    if hide:
        parameters["hide"] = hide
    if row is not None:
        parameters["row"] = str(row)
    return parameters


def validation(number: int) -> int:
    """The row of a validation sample."""
    return TRAINING_SAMPLES + number


FIGURES = (
    Figure("docs/images/explorer.png", view(row=validation(5679))),
    Figure("mnist/images/map_training.png", view(hide="validation"), "map", 1200, 800),
    Figure("mnist/images/map_validation.png", view(hide="training"), "map", 1200, 800),
    Figure("mnist/images/five_as_six.png", view(row=validation(5679)), "details", 1440, 1100),
    Figure("mnist/images/eight_as_nine.png", view(row=validation(8209)), "details", 1440, 780),
    Figure("mnist/images/closed_four.png", view(row=validation(4669)), "details", 1440, 780),
)


def draw(page: Page, address: str, figure: Figure) -> None:
    """Show a view and take its picture."""
    page.set_viewport_size({"width": figure.width, "height": figure.height})
    page.goto("about:blank")
    page.goto(f"{address}#{urlencode(figure.view)}")
    page.wait_for_function("window.explorer && window.explorer.samples > 0", timeout=TIMEOUT)
    page.evaluate("window.explorer.ready")
    if "row" in figure.view:
        page.get_by_test_id("visual-class_probabilities").wait_for(timeout=TIMEOUT)
    page.wait_for_timeout(SETTLE)
    target = page.get_by_test_id(figure.part) if figure.part else page
    target.screenshot(path=ROOT / figure.path)
    print(figure.path)


def main() -> None:
    """Draw all of them."""
    with served_run(ROOT / "runs", "mnist_cnn") as address, chromium_browser() as browser:
        page = browser.new_page()
        for figure in FIGURES:
            draw(page, address, figure)


if __name__ == "__main__":
    main()
