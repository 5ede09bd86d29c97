"""The figures of the READMEs that are pictures of the explorer: which view of it each shows."""

from dataclasses import dataclass
from typing import Any

TARGET, MISSED = "unlabeled/foresight_unlabeled/foresight_unlabeled_00017", "additional/cognata_a/cognata_a_00034"
"""A frame of the target, and one of cognata_a with objects missed."""
UNDER, OVER = "validation/val_92", "validation/val_91"
"""A tote with objects taken for one, and one with an object taken for several."""


@dataclass(frozen=True)
class View:
    """A picture of the page: `part` is a test id.

    Where it shows a sample, the picture is taken once the visualizer `awaited` has drawn. `visualizers` stand
    side by side in a picture of their own.
    """

    path: str
    parameters: list[tuple[str, str]]
    part: str = ""
    width: int = 1440
    height: int = 900
    awaited: str = "class_probabilities"
    visualizers: tuple[str, ...] = ()


def shown(
    colour: str, *, hide: tuple[str, ...] = (), sample: str | None = None, size: str = "loss.cross_entropy"
) -> list[tuple[str, str]]:
    """The URL hash of a view of the map, without some states."""
    parameters = [("colour", colour), ("size", size), ("space", "model"), ("projection", "pacmap")]
    parameters += [("hide", state) for state in hide]
    return parameters if sample is None else [*parameters, ("sample", sample)]


def of_mnist() -> tuple[View, ...]:
    """Of the digits."""

    def digit(number: int) -> list[tuple[str, str]]:
        return shown("metadata.label", sample=f"validation/validation_{number:05d}")

    return (
        View("mnist/images/map_training.png", shown("metadata.label", hide=("validation",)), "population", 1200, 800),
        View("mnist/images/map_validation.png", shown("metadata.label", hide=("training",)), "population", 1200, 800),
        View("mnist/images/five_as_six.png", digit(5679), "details", 1440, 780),
        View("mnist/images/eight_as_nine.png", digit(8209), "details", 1440, 780),
        View("mnist/images/closed_four.png", digit(4669), "details", 1440, 780),
    )


def of_cifar10_resnet() -> tuple[View, ...]:
    """Of the photographs."""
    of_test, unlabeled = ("training", "validation", "unlabeled"), ("training", "validation", "test")
    folder = "cifar10_resnet/images"
    return (
        View(f"{folder}/map_kind.png", shown("metadata.kind", hide=of_test), "population", 1200, 800),
        View(f"{folder}/map_class.png", shown("metadata.class_name", hide=of_test), "population", 1200, 800),
        View(f"{folder}/map_loss.png", shown("loss.cross_entropy", hide=of_test), "population", 1200, 800),
        View(
            f"{folder}/map_lightness.png",
            shown("metadata.background_lightness", hide=unlabeled, size="none"),
            "population",
            1200,
            800,
        ),
        View(f"{folder}/cat_as_dog.png", shown("metadata.class_name", sample="test/test_04945"), "details", 1440, 780),
    )


def of_yolov7_foresight() -> tuple[View, ...]:
    """Of the frames."""
    folder = "yolov7_foresight/images"

    def frames(colour: str, hide: tuple[str, ...] = (), sample: str | None = None, size: str = "none") -> Any:
        return shown(colour, hide=hide, sample=sample, size=size)

    origin, loss = "metadata.origin", "loss.yolov7_loss"
    return (
        View(f"{folder}/map_target.png", frames(origin, ("validation", "additional")), "population", 1200, 800),
        View(f"{folder}/map_generated.png", frames(origin, ("validation",)), "population", 1200, 800),
        View(
            f"{folder}/map_red.png",
            frames("metadata.image_red_std", ("training", "validation")),
            "population",
            1200,
            800,
        ),
        View(f"{folder}/map_loss.png", frames(loss, ("unlabeled",), size=loss), "population", 1200, 800),
        View(
            f"{folder}/target_frame.png",
            frames(origin, sample=TARGET),
            "details",
            1440,
            860,
            awaited="detections",
        ),
        View(
            f"{folder}/missed.png",
            frames(origin, sample=MISSED),
            "details",
            1440,
            1060,
            awaited="misses_and_false_alarms",
        ),
    )


def of_armbench_segmentation() -> tuple[View, ...]:
    """Of the totes."""
    folder = "armbench_segmentation/images"
    loss, under = "loss.yolo_loss", "metric.segmentation_under_segmenting_detections"
    unlabeled, validation = ("unlabeled",), ("training", "unlabeled")

    def totes(name: str, colour: str, hide: tuple[str, ...], size: str = loss) -> View:
        return View(f"{folder}/{name}.png", shown(colour, hide=hide, size=size), "population", 1200, 800)

    def tote(error: str, sample: str) -> View:
        view = shown(loss, sample=sample, size=loss)
        side_by_side = ("tote", "masks", "predicted_masks", error)
        return View(f"{folder}/{error}.png", view, awaited=error, visualizers=side_by_side)

    return (
        totes("map_loss", loss, unlabeled),
        totes("map_occlusion", "metadata.occlusion_by_mask", unlabeled),
        totes("map_colour", "metadata.tote_colour", unlabeled),
        totes("map_under_segmented", under, validation),
        tote("under_segmented", UNDER),
        tote("over_segmented", OVER),
    )


VIEWS = {
    "mnist": ("mnist_cnn", of_mnist),
    "cifar10_resnet": ("cifar10_resnet_18", of_cifar10_resnet),
    "yolov7_foresight": ("yolov7_tiny_foresight", of_yolov7_foresight),
    "armbench_segmentation": ("armbench_yolo_seg", of_armbench_segmentation),
}
"""Example -> the name of its run, and the pictures of the page that are taken of it."""
