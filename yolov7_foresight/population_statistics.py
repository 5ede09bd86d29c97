"""What the populations look like, in numbers, and how far each is from the target's: where the domain gap shows first.

`python -m yolov7_foresight.population_statistics` prints a table of those that lie under the data root.
"""

import argparse
import sys
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from tqdm import tqdm

from data_access.errors import DataError
from data_access.images import read_image
from data_access.root import data_root
from data_access.sampling import limit
from data_access.substitute import is_generated
from vision import statistics
from yolov7_foresight.config import ForesightConfig, load_config
from yolov7_foresight.data.images import list_images
from yolov7_foresight.data.preprocess import UNLABELED

COMPARED = ("red_std", "colour_temperature")
"""What the first generated population misses the target in."""
MOST_IMAGES = 200
"""Images of a population that are measured unless told otherwise."""


class Measured(msgspec.Struct, frozen=True):
    """A population, or a part of one.

    Attributes:
        name: with the part, as in `foresight/val`.
        generated: whether it is a substitute for real frames.
        images: how many there are.
        measured: how many of them the statistics are of.
        statistics: means over images of `vision.statistics.image_statistics`, but of `colour_temperature` the median,
            over the images that have one; None where none has. The black surround of a fisheye's circle is left out.
        without_temperature: how many of the measured have no colour temperature.
    """

    name: str
    generated: bool
    images: int
    measured: int
    statistics: dict[str, float | None]
    without_temperature: int


class Report(msgspec.Struct, frozen=True):
    """Every population of the settings.

    Attributes:
        root: where they lie.
        populations: those that are there.
        absent: the names of the others.
        from_target: by population, how much higher than the target's each of `COMPARED` is; empty where the target is
            absent, None where one of the two has no value.
    """

    root: str
    populations: list[Measured]
    absent: list[str]
    from_target: dict[str, dict[str, float | None]]


def measure(root: Path, config: ForesightConfig, most: int | None = MOST_IMAGES) -> Report:
    """Measure the populations that lie under a data root.

    Args:
        most: images of each that are measured, drawn by the settings' seed; None takes all.

    Raises:
        DataError: a folder holds no image, or an image cannot be read.
    """
    populations, absent = [], []
    for name, population in config.populations.items():
        for part in population.parts:
            title = "/".join(filter(None, (name, part)))
            folder = root / name / "images" / part
            if folder.is_dir():
                populations.append(_measured(title, folder, is_generated(root / name), config.seed, most))
            else:
                absent.append(title)
    return Report(str(root), populations, absent, _from_target(populations))


def _measured(title: str, folder: Path, generated: bool, seed: int, most: int | None) -> Measured:
    paths = list_images(folder)
    chosen = limit(list(paths), most, seed)
    progress = tqdm(chosen, desc=f"measuring {title}", unit="image", delay=2, leave=False, disable=None)
    images = [read_image(paths[stem]) for stem in progress]
    lit = statistics.ever_lit(images)
    rows = [_of_scene(image, lit) for image in images]
    columns = {key: [value for row in rows if (value := row[key]) is not None] for key in statistics.IMAGE_STATISTICS}
    means = {key: float(np.mean(values)) if values else None for key, values in columns.items()}
    temperatures = columns["colour_temperature"]
    # One frame that is all but outside of what has a temperature says 20,000 K: a mean would follow it.
    means["colour_temperature"] = float(np.median(temperatures)) if temperatures else None
    return Measured(title, generated, len(paths), len(rows), means, len(rows) - len(temperatures))


def _of_scene(image: NDArray[np.uint8], lit: NDArray[np.bool_] | None) -> dict[str, float | None]:
    """Statistics of what the lens shows; the sharpness is the whole frame's, because it looks at neighbours."""
    if lit is None or lit.all():
        return statistics.image_statistics(image)
    inside = statistics.image_statistics(image[lit][:, np.newaxis])
    return {**inside, "sharpness": statistics.sharpness(image)}


def _from_target(populations: list[Measured]) -> dict[str, dict[str, float | None]]:
    target = next((one.statistics for one in populations if one.name == UNLABELED), None)
    if target is None:
        return {}

    def differences(own: dict[str, float | None]) -> dict[str, float | None]:
        pairs = {key: (own[key], target[key]) for key in COMPARED}
        return {key: None if one is None or other is None else one - other for key, (one, other) in pairs.items()}

    return {one.name: differences(one.statistics) for one in populations if one.name != UNLABELED}


def show(report: Report, console: Console) -> None:
    """Print tables of a report."""
    table = Table(title=f"populations under {report.root}", title_justify="left")
    table.add_column("")
    for one in report.populations:
        table.add_column(one.name, justify="right")
    table.add_row("frames", *("generated" if one.generated else "real" for one in report.populations))
    table.add_row("images", *(str(one.images) for one in report.populations))
    table.add_row("measured", *(str(one.measured) for one in report.populations), end_section=True)
    for key in statistics.IMAGE_STATISTICS:
        table.add_row(_titled(key), *(_shown(key, one.statistics[key]) for one in report.populations))
    table.add_row("without temperature", *(str(one.without_temperature) for one in report.populations))
    if report.populations:
        console.print(table)

    if report.from_target:
        table = Table(title=f"higher than {UNLABELED} by", title_justify="left")
        table.add_column("")
        for key in COMPARED:
            table.add_column(_titled(key), justify="right")
        for name, values in report.from_target.items():
            table.add_row(name, *(_shown(key, values[key], "+") for key in COMPARED))
        console.print(table)
    substitutes = [one.name for one in report.populations if one.generated]
    if substitutes:
        console.print(f"Generated, as substitutes for real frames: {', '.join(substitutes)}.")
    if report.absent:
        console.print(
            f"Not there: {', '.join(report.absent)}; `python -m yolov7_foresight.generate` writes substitutes."
        )


def _titled(key: str) -> str:
    unit = {"colour_temperature": " (median, K)", "entropy": " (bits)"}.get(key, "")
    return f"{key.replace('_', ' ')}{unit}"


def _shown(key: str, value: float | None, sign: str = "") -> str:
    if value is None:
        return "-"
    digits = {"colour_temperature": ",.0f", "sharpness": ".4f", "entropy": ".2f"}.get(key, ".3f")
    return f"{value:{sign}{digits}}"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description="Statistics of the images of each population, and the gap to the target."
    )
    parser.add_argument("--root", type=Path, help="where they lie, instead of the data root")
    parser.add_argument(
        "--most", type=int, default=MOST_IMAGES, help="images of each to measure, 0 for all [%(default)s]"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    if given.most < 0:
        parser.error("--most must be at least 0")
    try:
        report = measure(given.root or data_root(), load_config(), given.most or None)
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    if given.json:
        print(msgspec.json.format(msgspec.json.encode(report)).decode())
    else:
        # Wide tables are no help if a pipe's 80 columns cut their numbers.
        show(report, Console(width=None if sys.stdout.isatty() else 160))


if __name__ == "__main__":
    main()
