"""Draw the figures of the READMEs from runs over the real data: `make figures`.

They are pictures of the explorer, so that a figure shows what a reader will see, and those that an analysis draws by
`--figure`.
"""

import json
import os
import shutil
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
from playwright.sync_api import Locator, Page

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser import chromium_browser, open_page, served_run, wait_until  # noqa: E402 - the path comes first

TIMEOUT = 90_000  # ms
SETTLE = 1_500

TARGET, MISSED = "unlabeled/foresight_unlabeled/foresight_unlabeled_00017", "additional/cognata_a/cognata_a_00034"
"""A frame of the target, and one of cognata_a with objects missed."""
UNDER, OVER = "validation/val_92", "validation/val_91"
"""A tote with objects taken for one, and one with an object taken for several."""


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
    colour: str, *, hide: tuple[str, ...] = (), sample: str | None = None, size: str = "loss.cross_entropy"
) -> list[tuple[str, str]]:
    """The URL hash of a view of the map, without some states."""
    parameters = [("colour", colour), ("size", size), ("space", "model"), ("projection", "pacmap")]
    parameters += [("hide", state) for state in hide]
    return parameters if sample is None else [*parameters, ("sample", sample)]


def of_mnist() -> tuple[Figure, ...]:
    """Of the digits."""

    def digit(number: int) -> list[tuple[str, str]]:
        return view("metadata.label", sample=f"validation/validation_{number:05d}")

    return (
        Figure("docs/images/explorer.png", digit(5679)),
        Figure("mnist/images/map_training.png", view("metadata.label", hide=("validation",)), "population", 1200, 800),
        Figure("mnist/images/map_validation.png", view("metadata.label", hide=("training",)), "population", 1200, 800),
        Figure("mnist/images/five_as_six.png", digit(5679), "details", 1440, 780),
        Figure("mnist/images/eight_as_nine.png", digit(8209), "details", 1440, 780),
        Figure("mnist/images/closed_four.png", digit(4669), "details", 1440, 780),
    )


def of_cifar10_resnet() -> tuple[Figure, ...]:
    """Of the photographs."""
    of_test, unlabeled = ("training", "validation", "unlabeled"), ("training", "validation", "test")
    folder = "cifar10_resnet/images"
    return (
        Figure(f"{folder}/map_kind.png", view("metadata.kind", hide=of_test), "population", 1200, 800),
        Figure(f"{folder}/map_class.png", view("metadata.class_name", hide=of_test), "population", 1200, 800),
        Figure(f"{folder}/map_loss.png", view("loss.cross_entropy", hide=of_test), "population", 1200, 800),
        Figure(
            f"{folder}/map_lightness.png",
            view("metadata.background_lightness", hide=unlabeled, size="none"),
            "population",
            1200,
            800,
        ),
        Figure(f"{folder}/cat_as_dog.png", view("metadata.class_name", sample="test/test_04945"), "details", 1440, 780),
    )


def of_yolov7_foresight() -> tuple[Figure, ...]:
    """Of the frames."""
    folder = "yolov7_foresight/images"

    def frames(colour: str, hide: tuple[str, ...] = (), sample: str | None = None, size: str = "none") -> Any:
        return view(colour, hide=hide, sample=sample, size=size)

    origin, loss = "metadata.origin", "loss.yolov7_loss"
    return (
        Figure(f"{folder}/map_target.png", frames(origin, ("validation", "additional")), "population", 1200, 800),
        Figure(f"{folder}/map_generated.png", frames(origin, ("validation",)), "population", 1200, 800),
        Figure(
            f"{folder}/map_red.png",
            frames("metadata.image_red_std", ("training", "validation")),
            "population",
            1200,
            800,
        ),
        Figure(f"{folder}/map_loss.png", frames(loss, ("unlabeled",), size=loss), "population", 1200, 800),
        Figure(
            f"{folder}/target_frame.png",
            frames(origin, sample=TARGET),
            "details",
            1440,
            860,
            awaited="detections",
        ),
        Figure(
            f"{folder}/missed.png",
            frames(origin, sample=MISSED),
            "details",
            1440,
            1060,
            awaited="misses_and_false_alarms",
        ),
    )


def of_armbench_segmentation() -> tuple[Figure, ...]:
    """Of the totes."""
    folder = "armbench_segmentation/images"
    loss, under = "loss.yolo_loss", "metric.segmentation_under_segmenting_detections"
    unlabeled, validation = ("unlabeled",), ("training", "unlabeled")

    def totes(name: str, colour: str, hide: tuple[str, ...], size: str = loss) -> Figure:
        return Figure(f"{folder}/{name}.png", view(colour, hide=hide, size=size), "population", 1200, 800)

    def tote(error: str, sample: str) -> Figure:
        shown = view(loss, sample=sample, size=loss)
        side_by_side = ("tote", "masks", "predicted_masks", error)
        return Figure(f"{folder}/{error}.png", shown, awaited=error, visualizers=side_by_side)

    return (
        totes("map_loss", loss, unlabeled),
        totes("map_occlusion", "metadata.occlusion_by_mask", unlabeled),
        totes("map_colour", "metadata.tote_colour", unlabeled),
        totes("map_under_segmented", under, validation),
        tote("under_segmented", UNDER),
        tote("over_segmented", OVER),
    )


FIGURES = {
    "mnist": ("mnist_cnn", of_mnist),
    "cifar10_resnet": ("cifar10_resnet_18", of_cifar10_resnet),
    "yolov7_foresight": ("yolov7_tiny_foresight", of_yolov7_foresight),
    "armbench_segmentation": ("armbench_yolo_seg", of_armbench_segmentation),
}
"""Example -> the name of its run, and the figures of it."""


RUN = "RUN"
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
    "mnist/images/to_label.png": ("prioritize", "--state", "validation", "--budget", "200", "--compare"),
    "cifar10_resnet/images/predicted_loss.png": ("predict-loss", "--state", "unlabeled"),
    "yolov7_foresight/images/predicted_target.png": ("predict-loss", "--state", "unlabeled"),
    "yolov7_foresight/images/gap.png": (
        "domain-gap",
        *("--source", "metadata.origin = 'cognata_a'", "--target", "metadata.origin = 'foresight_unlabeled'"),
        *("--rank", "metadata.origin = 'cognata_b'"),
    ),
    "yolov7_foresight/images/tuned.png": (
        *("tune", "cognata", "--run"),
        RUN,
        *("--target", "metadata.origin = 'foresight_unlabeled'", "--workers", "2", "--start", "fisheye=0.35"),
        *("--start", "exposure=0.9", "--start", "temperature=4300", "--start", "red_spread=1.5"),
        *("--start", "noise=0.008", "--start", "blur=0.4", "--start", "dusk=0.75"),
    ),
    "armbench_segmentation/images/to_label.png": (
        "prioritize",
        *("--budget", "40", "--where", "analysis.predicted_loss >= 0.18", "--compare"),
    ),
    "armbench_segmentation/images/kept.png": ("prune", "--cluster", "1", "--min-distance", "14", "--keep", "0.5"),
}
"""Figure -> the command that draws it, of the run of the example in whose folder it lies; RUN stands for that run."""
BEFORE = {"armbench_segmentation": ("predict-loss", "--state", "unlabeled")}
"""Example -> a command that leaves a column which its figures use."""


HEATMAPS = {
    "mnist/images/heat_classes.png": ("--id", "validation/validation_08209", "--of", "class:all"),
    "cifar10_resnet/images/heat_cat.png": ("--id", "test/test_03962", "--of", "loss"),
    "yolov7_foresight/images/heat_detection.png": ("--id", "validation/val/foresight_val_00009", "--of", "detection:2"),
}
"""Figure -> what its heat-map is of."""


WHY = {"mnist/images/why_similar.png": ("--id", "validation/validation_04669", "--count", "6")}
"""Figure -> the sample, and how many of its neighbours it shows, each with what makes it similar."""


def draw_answers(example: str, run: str) -> None:
    """Draw the figures of an example's analyses."""
    if example in BEFORE:
        _ask(run, BEFORE[example])
    for path, command in ANSWERS.items():
        if path.partition("/")[0] == example:
            _ask(run, (*command, "--figure", path, "--overwrite"))
            print(path)


def draw_heatmaps(example: str, run: str) -> None:
    """Draw the heat-maps of an example: what raises and what lowers, over the picture."""
    for path, command in HEATMAPS.items():
        if path.partition("/")[0] == example:
            whole = [sys.executable, "-m", "leaplab", "heatmap", run, *command, "-o", "build/heatmaps", "--json"]
            told = json.loads(subprocess.run(whole, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
            shutil.copy(ROOT / told["files"]["overlay"], ROOT / path)
            print(path)
    for path, command in WHY.items():
        if path.partition("/")[0] == example:
            folder = ROOT / "build" / "why_similar"
            shutil.rmtree(folder, ignore_errors=True)
            _ask(run, ("similar", *command, "--why", str(folder)))
            halves = [cv2.resize(cv2.imread(str(one)), None, fx=0.5, fy=0.5) for one in sorted(folder.iterdir())]
            cv2.imwrite(str(ROOT / path), np.vstack([np.hstack(halves[:3]), np.hstack(halves[3:])]))
            print(path)


def _ask(run: str, command: Sequence[str]) -> None:
    placed = [run if each == RUN else each for each in command]
    whole = placed if RUN in command else [placed[0], run, *placed[1:]]
    subprocess.run([sys.executable, "-m", "leaplab", *whole], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def draw(page: Page, address: str, figure: Figure) -> None:
    """Show a view and take its picture."""
    page.set_viewport_size({"width": figure.width, "height": figure.height})
    page.goto("about:blank")
    page.goto(f"{address}#{urlencode(figure.view)}")
    wait_until(page, "window.explorer && window.explorer.samples > 0", TIMEOUT / 1000)
    page.evaluate("window.explorer.ready")
    if "sample" in dict(figure.view):
        _show(page, figure.awaited)
    if not figure.part and not figure.visualizers:
        page.get_by_test_id("insights").wait_for(timeout=4 * TIMEOUT)
    page.wait_for_timeout(SETTLE)
    path = ROOT / figure.path
    path.parent.mkdir(exist_ok=True)
    if figure.visualizers:
        visuals = [_show(page, name).screenshot() for name in figure.visualizers]
        cv2.imwrite(str(path), _side_by_side(visuals))
    else:
        target = page.get_by_test_id(figure.part) if figure.part else page
        target.screenshot(path=path)
    print(figure.path)


def _show(page: Page, visualizer: str) -> Locator:
    """Choose what a visualizer draws, where there is a choice, and wait for it."""
    shown, choice = page.get_by_test_id(f"visual-{visualizer}"), page.get_by_test_id(f"layer-{visualizer}")
    shown.or_(choice).first.wait_for(timeout=TIMEOUT)
    if choice.count():
        choice.click()
    shown.wait_for(timeout=TIMEOUT)
    return shown


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
            page = open_page(browser)
            for figure in figures():
                draw(page, address, figure)
        draw_answers(example, run)
        draw_heatmaps(example, run)


if __name__ == "__main__":
    main()
