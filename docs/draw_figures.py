"""Draw the figures of the READMEs from runs over the real data: `make figures`.

They are pictures of the explorer, so that a figure shows what a reader will see.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser import chromium_browser, served_run  # noqa: E402 - the path comes first

TIMEOUT = 90_000  # ms
SETTLE = 1_500

TARGET_ROW, MISSED_ROW = 2_017, 2_234  # of a frame of the target, and of one of cognata_a with objects missed


@dataclass(frozen=True)
class Figure:
    """A picture of the page: `part` is a test id, or empty for the whole window.

    Where the view shows a sample, the picture is taken once the visualizer `awaited` has drawn.
    """

    path: str
    view: list[tuple[str, str]]
    part: str = ""
    width: int = 1440
    height: int = 900
    awaited: str = "class_probabilities"


def view(
    colour: str, *, hide: tuple[str, ...] = (), row: int | None = None, size: str = "loss.cross_entropy"
) -> list[tuple[str, str]]:
    """The URL hash of a view of the map, without some states."""
    parameters = [("colour", colour), ("size", size), ("space", "model"), ("projection", "pacmap")]
    parameters += [("hide", state) for state in hide]
    return parameters if row is None else [*parameters, ("row", str(row))]


def of_mnist() -> tuple[Figure, ...]:
    """Rows are those of 60,000 training digits and the 10,000 of validation after them."""

    def digit(number: int) -> list[tuple[str, str]]:
        return view("metadata.label", row=60_000 + number)

    return (
        Figure("docs/images/explorer.png", digit(5679)),
        Figure("mnist/images/map_training.png", view("metadata.label", hide=("validation",)), "map", 1200, 800),
        Figure("mnist/images/map_validation.png", view("metadata.label", hide=("training",)), "map", 1200, 800),
        Figure("mnist/images/five_as_six.png", digit(5679), "details", 1440, 1100),
        Figure("mnist/images/eight_as_nine.png", digit(8209), "details", 1440, 780),
        Figure("mnist/images/closed_four.png", digit(4669), "details", 1440, 780),
    )


def of_cifar10_resnet() -> tuple[Figure, ...]:
    """Rows are those of 40,000 training, 5,000 validation and 10,000 test photographs, and 5,000 unlabeled ones."""
    of_test, unlabeled = ("training", "validation", "unlabeled"), ("training", "validation", "test")
    folder = "cifar10_resnet/images"
    return (
        Figure(f"{folder}/map_kind.png", view("metadata.kind", hide=of_test), "map", 1200, 800),
        Figure(f"{folder}/map_class.png", view("metadata.class_name", hide=of_test), "map", 1200, 800),
        Figure(f"{folder}/map_loss.png", view("loss.cross_entropy", hide=of_test), "map", 1200, 800),
        Figure(f"{folder}/map_clusters.png", view("cluster.k-means", hide=unlabeled, size="none"), "map", 1200, 800),
        Figure(
            f"{folder}/map_lightness.png",
            view("metadata.background_lightness", hide=unlabeled, size="none"),
            "map",
            1200,
            800,
        ),
        Figure(f"{folder}/cat_as_dog.png", view("metadata.class_name", row=49_945), "details", 1440, 638),
    )


def of_yolov7_foresight() -> tuple[Figure, ...]:
    """Rows are those of 1,600 training and 400 validation frames, 200 of the target, and 300 of each generation."""
    folder = "yolov7_foresight/images"

    def frames(colour: str, hide: tuple[str, ...] = (), row: int | None = None, size: str = "none") -> Any:
        return view(colour, hide=hide, row=row, size=size)

    origin, loss = "metadata.origin", "loss.yolov7_loss"
    return (
        Figure(f"{folder}/map_target.png", frames(origin, ("validation", "additional")), "map", 1200, 800),
        Figure(f"{folder}/map_generated.png", frames(origin, ("validation",)), "map", 1200, 800),
        Figure(f"{folder}/map_red.png", frames("metadata.image_red_std", ("training", "validation")), "map", 1200, 800),
        Figure(f"{folder}/map_loss.png", frames(loss, ("unlabeled",), size=loss), "map", 1200, 800),
        Figure(
            f"{folder}/target_frame.png",
            frames(origin, row=TARGET_ROW),
            "details",
            1440,
            820,
            awaited="detections",
        ),
        Figure(
            f"{folder}/missed.png",
            frames(origin, row=MISSED_ROW),
            "details",
            1440,
            1420,
            awaited="misses_and_false_alarms",
        ),
    )


FIGURES = {
    "mnist": ("mnist_cnn", of_mnist),
    "cifar10_resnet": ("cifar10_resnet_18", of_cifar10_resnet),
    "yolov7_foresight": ("yolov7_tiny_foresight", of_yolov7_foresight),
}
"""Example -> the name of its run, and the figures of it."""


def draw(page: Page, address: str, figure: Figure) -> None:
    """Show a view and take its picture."""
    page.set_viewport_size({"width": figure.width, "height": figure.height})
    page.goto("about:blank")
    page.goto(f"{address}#{urlencode(figure.view)}")
    page.wait_for_function("window.explorer && window.explorer.samples > 0", timeout=TIMEOUT)
    page.evaluate("window.explorer.ready")
    if "row" in dict(figure.view):
        page.get_by_test_id(f"visual-{figure.awaited}").wait_for(timeout=TIMEOUT)
    page.wait_for_timeout(SETTLE)
    target = page.get_by_test_id(figure.part) if figure.part else page
    target.screenshot(path=ROOT / figure.path)
    print(figure.path)


def main() -> None:
    """Draw the figures of the examples that the command line names; of all where it names none."""
    for example in sys.argv[1:] or FIGURES:
        run, figures = FIGURES[example]
        os.environ["LEAP_EXAMPLE"] = example  # the explorer binds it again for the visualizers
        with served_run(ROOT / "runs", run) as address, chromium_browser() as browser:
            page = browser.new_page()
            for figure in figures():
                draw(page, address, figure)


if __name__ == "__main__":
    main()
