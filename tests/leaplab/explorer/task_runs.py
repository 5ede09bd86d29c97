"""The runs on which a person's tasks are done: of the four examples, over real digits and photographs and generated
frames and totes.

They are evaluated for the tests. `TASK_RUNS` names a folder of runs to use instead, called as in `NAMES`, and
`TASK_GENERATED` the data root of its generated ones: so the same tasks are tried on whole runs and on other models.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

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
STATES = {"cifar10_resnet": ["--state", "validation", "--state", "test", "--state", "unlabeled"]}
"""Photographs of training would only take time."""
FRAMES = 80
"""Generated frames of each part of a population."""


@dataclass(frozen=True)
class TaskRuns:
    """Where the runs lie, and the data root of those over generated data."""

    folder: Path
    generated: Path

    @contextmanager
    def served(self, example: str) -> Iterator[str]:
        """The address of the explorer of an example's run."""
        with served_run(self.folder, NAMES[example], self.environment(example)) as address:
            yield address

    def environment(self, example: str) -> dict[str, str]:
        """What binds the example to the data that its run is of."""
        real = example in ("mnist", "cifar10_resnet")
        return {"LEAP_EXAMPLE": example, "LEAP_DATA_ROOT": str(data_root() if real else self.generated)}

    def path(self, example: str) -> Path:
        """The run's folder."""
        return self.folder / NAMES[example]


def prepared(scratch: Path) -> TaskRuns:
    """The runs, evaluated in a folder where none are named."""
    if "TASK_RUNS" in os.environ:
        return TaskRuns(Path(os.environ["TASK_RUNS"]), Path(os.environ["TASK_GENERATED"]))
    runs = TaskRuns(scratch / "runs", scratch / "data")
    _write_generated(runs.generated)
    for example, name in NAMES.items():
        command = ["-m", "leaplab", "evaluate", str(ROOT), "--runs", str(runs.folder), "--name", name]
        environment = {**os.environ, **runs.environment(example)}
        options = STATES.get(example, [])
        subprocess.run([sys.executable, *command, *options], check=True, env=environment, timeout=600)
    return runs


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
