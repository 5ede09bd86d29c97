"""The runs on which a person's tasks are done: of the four examples, over some of the real digits and photographs, of
which a few have a wrong label, and generated frames and totes.

They are evaluated for the tests. `TASK_RUNS` names a folder of runs to use instead, called as in `NAMES`, and
`TASK_GENERATED` the data root of its generated ones: so the same tasks are tried on whole runs and on other models.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace

from armbench_segmentation.config import load_config as load_totes
from armbench_segmentation.generate import generate
from data_access.root import data_root
from tests.browser import served_run
from yolov7_foresight.config import load_config as load_frames
from yolov7_foresight.generate import write_population

ROOT = Path(__file__).resolve().parents[3]
NAMES = {
    "mnist": "mnist_cnn",
    "cifar10_resnet": "cifar10_resnet_18",
    "yolov7_foresight": "yolov7_tiny_foresight",
    "armbench_segmentation": "armbench_yolo_seg",
}
"""Example -> its run."""
REAL = ("mnist", "cifar10_resnet")
DIGITS_FILE = Path("mnist") / "mnist.npz"
OPTIONS = {"cifar10_resnet": ["--state", "validation", "--state", "test", "--state", "unlabeled", "--limit", "1000"]}
"""Photographs of training would only take time."""
DIGITS = {"train": 2000, "test": 1000}
"""Of each part of the file."""
WRONG = 20
"""Digits of training that get the label of the next class."""
FRAMES = 80
"""Generated frames of each part of a population."""


@dataclass(frozen=True)
class TaskRuns:
    """Where the runs lie.

    Attributes:
        folder: of the runs.
        roots: example -> the data root that its run is of.
        mislabeled: ids of digits of training that have a wrong label; None where that is not known.
    """

    folder: Path
    roots: Mapping[str, Path]
    mislabeled: Set[str] | None

    @contextmanager
    def served(self, example: str) -> Iterator[str]:
        """The address of the explorer of an example's run."""
        with served_run(self.folder, NAMES[example], self.environment(example)) as address:
            yield address

    def environment(self, example: str) -> dict[str, str]:
        """What binds the example to the data that its run is of."""
        return {"LEAP_EXAMPLE": example, "LEAP_DATA_ROOT": str(self.roots[example])}

    def path(self, example: str) -> Path:
        """The run's folder."""
        return self.folder / NAMES[example]


def prepared(scratch: Path) -> TaskRuns:
    """The runs, evaluated in a folder where none are named."""
    real = data_root()
    if "TASK_RUNS" in os.environ:
        generated = Path(os.environ["TASK_GENERATED"])
        roots = {each: real if each in REAL else generated for each in NAMES}
        return TaskRuns(Path(os.environ["TASK_RUNS"]), roots, None)
    generated = scratch / "data"
    roots = {each: real if each == "cifar10_resnet" else generated for each in NAMES}
    _write_generated(generated)
    runs = TaskRuns(scratch / "runs", roots, _write_digits(real / DIGITS_FILE, generated / DIGITS_FILE))
    for example, name in NAMES.items():
        command = ["-m", "leaplab", "evaluate", str(ROOT), "--runs", str(runs.folder), "--name", name]
        environment = {**os.environ, **runs.environment(example)}
        options = OPTIONS.get(example, [])
        subprocess.run([sys.executable, *command, *options], check=True, env=environment, timeout=600)
    return runs


def _write_digits(real: Path, some: Path) -> set[str]:
    """Some of the digits, of which a few of training have a wrong label; their ids."""
    generator = np.random.default_rng(0)
    kept: dict[str, Any] = {}
    with np.load(real) as archive:
        for part, count in DIGITS.items():
            images, labels = archive[f"x_{part}"], archive[f"y_{part}"]
            rows = generator.choice(len(labels), count, replace=False)
            kept |= {f"x_{part}": images[rows], f"y_{part}": labels[rows]}
    wrong = generator.choice(DIGITS["train"], WRONG, replace=False)
    kept["y_train"][wrong] = (kept["y_train"][wrong] + 1) % 10
    some.parent.mkdir(parents=True)
    np.savez(some, **kept)
    return {f"training_{row:05d}" for row in wrong}


def _write_generated(root: Path) -> None:
    frames = load_frames()
    frames = replace(
        frames,
        scenes=replace(frames.scenes, width=320, height=240),
        populations={
            name: replace(each, parts=dict.fromkeys(each.parts, FRAMES), fitted_to=None)
            for name, each in frames.populations.items()
        },
    )
    for name in frames.populations:
        write_population(name, root, frames)
    totes = load_totes()
    some = replace(totes.generator, training=40, validation=40, unlabeled=20)
    generate(replace(totes, generator=some), root / "armbench" / "mix-object-tote")
