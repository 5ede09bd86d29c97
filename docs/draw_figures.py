"""Draw the figures of the READMEs from runs over the real data: `make figures`.

They are pictures of the explorer, so that a figure shows what a reader will see, and those that an analysis draws by
`--figure`.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import cv2
import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser import chromium_browser, served_run  # noqa: E402 - the path comes first

TIMEOUT = 90_000  # ms
SETTLE = 1_500

TARGET_ROW, MISSED_ROW = 2_017, 2_234  # of a frame of the target, and of one of cognata_a with objects missed
UNDER_ROW, OVER_ROW = 1_091, 1_090  # of a tote with objects taken for one, and of one with an object taken for several


@dataclass(frozen=True)
class Figure:
    """A picture of the page: `part` is a test id, or empty for the whole window.

    Where the view shows a sample, the picture is taken once the visualizer `awaited` has drawn. `visualizers` stand
    side by side in a picture of their own.
    """

    path: str
    view: list[tuple[str, str]]
    part: str = ""
    width: int = 1440
    height: int = 900
    awaited: str = "class_probabilities"
    visualizers: tuple[str, ...] = ()


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


def of_armbench_segmentation() -> tuple[Figure, ...]:
    """Rows are those of 1,000 training, 250 validation and 250 unlabeled totes."""
    folder = "armbench_segmentation/images"
    loss, under = "loss.yolo_loss", "metric.segmentation_under_segmenting_detections"
    unlabeled, validation = ("unlabeled",), ("training", "unlabeled")

    def totes(name: str, colour: str, hide: tuple[str, ...], size: str = loss) -> Figure:
        return Figure(f"{folder}/{name}.png", view(colour, hide=hide, size=size), "map", 1200, 800)

    def tote(error: str, row: int) -> Figure:
        shown = view(loss, row=row, size=loss)
        side_by_side = ("tote", "masks", "predicted_masks", error)
        return Figure(f"{folder}/{error}.png", shown, awaited=error, visualizers=side_by_side)

    return (
        totes("map_loss", loss, unlabeled),
        totes("map_occlusion", "metadata.occlusion_by_mask", unlabeled),
        totes("map_colour", "metadata.tote_colour", unlabeled),
        totes("map_under_segmented", under, validation),
        tote("under_segmented", UNDER_ROW),
        tote("over_segmented", OVER_ROW),
    )


FIGURES = {
    "mnist": ("mnist_cnn", of_mnist),
    "cifar10_resnet": ("cifar10_resnet_18", of_cifar10_resnet),
    "yolov7_foresight": ("yolov7_tiny_foresight", of_yolov7_foresight),
    "armbench_segmentation": ("armbench_yolo_seg", of_armbench_segmentation),
}
"""Example -> the name of its run, and the figures of it."""


ANSWERS = {
    "mnist/images/similar_closed_four.png": ("similar", "--id", "validation/validation_04669", "--count", "13"),
    "mnist/images/similar_crossed_seven.png": ("similar", "--id", "validation/validation_07650", "--count", "13"),
    "cifar10_resnet/images/similar_profile.png": ("similar", "--id", "test/test_00034", "--count", "13"),
    "cifar10_resnet/images/copy.png": ("similar", "--id", "test/test_05297", "--count", "6"),
    "cifar10_resnet/images/clusters.png": ("clusters",),
    "cifar10_resnet/images/insights.png": ("insights", "--kind", "low_performance", "--state", "test"),
    "yolov7_foresight/images/rare.png": ("insights", "--kind", "out_of_distribution"),
    "yolov7_foresight/images/clusters.png": ("clusters",),
    "armbench_segmentation/images/objects.png": ("insights", "--kind", "low_performance"),
}
"""Figure -> the command that draws it, of the run of the example in whose folder it lies."""


def draw_answers(example: str, run: str) -> None:
    """Draw the figures of an example's analyses."""
    for path, command in ANSWERS.items():
        if path.partition("/")[0] == example:
            whole = [sys.executable, "-m", "leaplab", command[0], run, *command[1:], "--figure", path, "--overwrite"]
            subprocess.run(whole, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
            print(path)


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
    path = ROOT / figure.path
    path.parent.mkdir(exist_ok=True)
    if figure.visualizers:
        visuals = [page.get_by_test_id(f"visual-{name}").screenshot() for name in figure.visualizers]
        cv2.imwrite(str(path), _side_by_side(visuals))
    else:
        target = page.get_by_test_id(figure.part) if figure.part else page
        target.screenshot(path=path)
    print(figure.path)


def _side_by_side(pictures: Sequence[bytes]) -> NDArray[np.uint8]:
    """Encoded pictures -> one, [H, W, 3] uint8, BGR, on white."""
    decoded = [cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR) for picture in pictures]
    height = max(picture.shape[0] for picture in decoded)
    pad = [
        cv2.copyMakeBorder(picture, 0, height - picture.shape[0], 0, 8, cv2.BORDER_CONSTANT, value=(255,) * 3)
        for picture in decoded
    ]
    return np.asarray(np.hstack(pad), np.uint8)


def main() -> None:
    """Draw the figures of the examples that the command line names; of all where it names none."""
    for example in sys.argv[1:] or FIGURES:
        run, figures = FIGURES[example]
        os.environ["LEAP_EXAMPLE"] = example  # the explorer binds it again for the visualizers
        with served_run(ROOT / "runs", run) as address, chromium_browser() as browser:
            page = browser.new_page()
            for figure in figures():
                draw(page, address, figure)
        draw_answers(example, run)


if __name__ == "__main__":
    main()
