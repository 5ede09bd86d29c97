"""Where the frames lie -> which there are -> one PreprocessResponse per state. Pixels and labels are read on demand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from code_loader.contract.datasetclasses import PreprocessResponse
from code_loader.contract.enums import DataStateType
from numpy.typing import NDArray

from data_access.errors import DataError
from data_access.images import read_image
from data_access.root import data_root
from data_access.sampling import limit
from tasks.detection.detections import Objects
from yolov7_foresight.config import ForesightConfig
from yolov7_foresight.data.images import list_images
from yolov7_foresight.data.yolo_labels import CLASSES, list_labels, read_labels, require_classes

FORESIGHT = "foresight"
PARTS = ("train", "val")
"""Of foresight; other populations have none."""
UNLABELED = "foresight_unlabeled"
ADDITIONAL = ("cognata_a", "cognata_b")

LONGEST_ID = 256
"""Characters that Tensorleap allows."""

Parameter = float | int | str
SampleKey = str | int
"""A sample's id, or its position: the check of a simulation asks for the sample 0."""


class Frames(Protocol):
    """The frames of a state: what a response's `data` is, whether they lie on a disk or were generated just now.

    Raises of its methods:
        DataError: the sample's file cannot be read; names it.
        KeyError: there is no such sample.
        IndexError: there is no such position.
    """

    @property
    def ids(self) -> Sequence[str]:
        """Unique sample ids, in order."""

    def image(self, sample: SampleKey) -> NDArray[np.uint8]:
        """[H, W, 3] uint8, RGB, of the frame's own size; not to be written to."""

    def size(self, sample: SampleKey) -> tuple[int, int]:
        """Width and height of the frame, in pixels."""

    def objects(self, sample: SampleKey) -> Objects | None:
        """In pixels of the frame; None where it is not labelled."""

    def origin(self, sample: SampleKey) -> str:
        """The population's name."""

    def path(self, sample: SampleKey) -> Path | None:
        """Of the image; None where it lies in no file."""

    def parameters(self, sample: SampleKey) -> Mapping[str, Parameter] | None:
        """With which it was simulated; None where it was not."""


@dataclass(frozen=True)
class FrameFiles:
    """The files of one frame; `labels` is None where it is not labelled."""

    image: Path
    labels: Path | None
    origin: str


@dataclass(frozen=True, eq=False)
class StoredFrames:
    """Frames in files, read anew at each call but for the last few images.

    Attributes:
        files: by sample id.
        classes: how many the labels may name.
    """

    files: Mapping[str, FrameFiles]
    classes: int

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """As `Frames` has it, and so the others."""
        return tuple(self.files)

    def image(self, sample: SampleKey) -> NDArray[np.uint8]:
        return read_image(self._files(sample).image)

    def size(self, sample: SampleKey) -> tuple[int, int]:
        height, width = self.image(sample).shape[:2]
        return width, height

    def objects(self, sample: SampleKey) -> Objects | None:
        labels = self._files(sample).labels
        return None if labels is None else read_labels(labels, self.classes, *self.size(sample))

    def origin(self, sample: SampleKey) -> str:
        return self._files(sample).origin

    def path(self, sample: SampleKey) -> Path:
        return self._files(sample).image

    def parameters(self, sample: SampleKey) -> Mapping[str, Parameter] | None:
        return None

    def _files(self, sample: SampleKey) -> FrameFiles:
        return self.files[_sample_id(self.ids, sample)]


@dataclass(frozen=True, eq=False)
class SimulatedFrames:
    """Frames that a simulation has made, in memory.

    Attributes:
        name: of the simulation, their origin.
        ids: one a frame.
        images: [H, W, 3] uint8, RGB, each.
        labels: of each, in its pixels.
        settings: the parameters that all were made with.
    """

    name: str
    ids: tuple[str, ...]
    images: Sequence[NDArray[np.uint8]]
    labels: Sequence[Objects]
    settings: Mapping[str, Parameter]

    def __post_init__(self) -> None:
        if not len(self.ids) == len(self.images) == len(self.labels):
            raise ValueError(f"{len(self.ids)} ids, {len(self.images)} images and {len(self.labels)} labels differ.")

    def image(self, sample: SampleKey) -> NDArray[np.uint8]:
        """As `Frames` has it, and so the others."""
        return self.images[self._position(sample)]

    def size(self, sample: SampleKey) -> tuple[int, int]:
        height, width = self.image(sample).shape[:2]
        return width, height

    def objects(self, sample: SampleKey) -> Objects:
        return self.labels[self._position(sample)]

    def origin(self, sample: SampleKey) -> str:
        return self.name

    def path(self, sample: SampleKey) -> None:
        return None

    def parameters(self, sample: SampleKey) -> Mapping[str, Parameter]:
        return self.settings

    def _position(self, sample: SampleKey) -> int:
        return self._position_of[_sample_id(self.ids, sample)]

    @cached_property
    def _position_of(self) -> dict[str, int]:
        return {sample_id: position for position, sample_id in enumerate(self.ids)}


def load_population(config: ForesightConfig, name: str, part: str = "") -> StoredFrames:
    """Every frame of one population under the data root; all but the unlabeled target must be labelled.

    Its sample ids are `train/STEM` and `val/STEM` for foresight and `NAME/STEM` for another. Only the folders are read.

    Args:
        part: `train` or `val` of foresight, or all of it; other populations have no parts and come whole.

    Raises:
        DataError: a folder is missing or empty, an image has no label or a label no image, or a classes.txt names other
            classes than the settings.
    """
    folder = data_root() / name
    if not folder.is_dir():
        raise DataError(
            f"{folder} does not exist: put the data there, or `python -m yolov7_foresight.generate --all` writes "
            "generated frames in its place."
        )
    parts = ("",) if name != FORESIGHT else (part,) if part else PARTS
    files: dict[str, FrameFiles] = {}
    for own in parts:
        images, labels = folder / "images" / own, folder / "labels" / own
        found = list_images(images)
        label_of: dict[str, Path] = {}
        # A real target may come with labels: it stays the unlabeled one.
        if name != UNLABELED:
            label_of = list_labels(labels, found)
            for classes in (folder / CLASSES, labels / CLASSES):
                require_classes(classes, config.labels)
        for stem, path in found.items():
            sample_id = f"{own or name}/{stem}"
            if len(sample_id) > LONGEST_ID:
                raise DataError(f"{path} has too long a name: make it {LONGEST_ID - len(own or name) - 1} characters.")
            files[sample_id] = FrameFiles(path, label_of.get(stem), name)
    return StoredFrames(files, len(config.labels))


def load_states(config: ForesightConfig) -> dict[DataStateType, StoredFrames]:
    """The frames of each state, at most as many as the settings allow.

    Training and validation are the parts of foresight. Unlabeled is the target, and additional the generated
    populations; a state is left out where none of its populations is there.

    Raises:
        DataError: as `load_population`.
    """
    states = {
        DataStateType.training: load_population(config, FORESIGHT, "train"),
        DataStateType.validation: load_population(config, FORESIGHT, "val"),
    }
    if (data_root() / UNLABELED).exists():
        states[DataStateType.unlabeled] = load_population(config, UNLABELED)
    present = [load_population(config, name) for name in ADDITIONAL if (data_root() / name).exists()]
    if present:
        files = {sample_id: one for frames in present for sample_id, one in frames.files.items()}
        states[DataStateType.additional] = StoredFrames(files, len(config.labels))
    return {state: _limited(frames, state, config) for state, frames in states.items()}


def preprocess_responses(config: ForesightConfig) -> list[PreprocessResponse]:
    """One response per state; `data` is a `Frames`, sample ids are strings."""
    return [
        PreprocessResponse(data=frames, sample_ids=list(frames.ids), state=state)
        for state, frames in load_states(config).items()
    ]


def _limited(frames: StoredFrames, state: DataStateType, config: ForesightConfig) -> StoredFrames:
    kept = limit(frames.ids, getattr(config.sample_limit, state.name), config.seed)
    return StoredFrames({sample_id: frames.files[sample_id] for sample_id in kept}, frames.classes)


def _sample_id(ids: Sequence[str], sample: SampleKey) -> str:
    return sample if isinstance(sample, str) else ids[sample]
