"""Where the photographs lie -> arrays -> one PreprocessResponse per state."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from code_loader.contract.datasetclasses import PreprocessResponse
from code_loader.contract.enums import DataStateType
from numpy.typing import NDArray

from cifar10_resnet.config import Cifar10Config
from cifar10_resnet.data.batches import CLASSES, TEST_FILES, TRAINING_FILES, read_batches
from data_access.archive import extract
from data_access.download import fetch
from data_access.root import data_root
from data_access.sampling import limit
from tasks.classification.labelled_images import Images, LabelledImages

FOLDER = "cifar-10-batches-py"


def load_states(config: Cifar10Config) -> dict[DataStateType, Images]:
    """The photographs of each state, [N, 32, 32, 3] uint8, RGB; downloaded when they are missing.

    Training, validation and unlabeled share the official training images, test is the official test. An id names the
    row of the official images, whatever the state: `train_00007`, `test_00007`. Unlabeled has no labels.

    Raises:
        DataError: the batches can neither be read nor downloaded.
    """
    folder = _folder(config)
    images, labels = read_batches(folder, TRAINING_FILES)
    ids = [f"train_{row:05d}" for row in range(len(images))]
    parts = split(ids, labels, config)
    test_images, test_labels = read_batches(folder, TEST_FILES)
    test_ids = [f"test_{row:05d}" for row in range(len(test_images))]

    def state(kept: DataStateType, rows: Sequence[int]) -> Images:
        return _limited(images[rows], labels[rows], [ids[row] for row in rows], kept, config)

    return {
        **{kept: state(kept, rows) for kept, rows in parts.items()},
        DataStateType.test: _limited(test_images, test_labels, test_ids, DataStateType.test, config),
    }


def preprocess_responses(config: Cifar10Config) -> list[PreprocessResponse]:
    """One response per state; `data` is an `Images`, sample ids are strings."""
    return [
        PreprocessResponse(data=samples, sample_ids=list(samples.ids), state=state)
        for state, samples in load_states(config).items()
    ]


def split(ids: Sequence[str], labels: NDArray[np.uint8], config: Cifar10Config) -> dict[DataStateType, list[int]]:
    """The rows of training, validation and unlabeled, each class in the same proportion; ascending.

    Drawn by `data_access.sampling.limit`, so the same seed gives the same rows under every version of a library.
    """
    taken: dict[DataStateType, list[int]] = {
        DataStateType.training: [],
        DataStateType.validation: [],
        DataStateType.unlabeled: [],
    }
    row_of = {sample_id: row for row, sample_id in enumerate(ids)}
    for label in range(CLASSES):
        members = [ids[row] for row in np.flatnonzero(labels == label).tolist()]
        validation = round(len(members) * config.split.validation_share)
        unlabeled = round(len(members) * config.split.unlabeled_share)
        # A larger draw holds a smaller one: validation is drawn first, unlabeled is what the larger draw adds.
        aside = limit(members, validation + unlabeled, config.seed) if validation + unlabeled else []
        chosen = set(limit(aside, validation, config.seed)) if validation else set()
        taken[DataStateType.validation] += [row_of[sample_id] for sample_id in chosen]
        taken[DataStateType.unlabeled] += [row_of[sample_id] for sample_id in aside if sample_id not in chosen]
        outside = set(members) - set(aside)
        taken[DataStateType.training] += [row_of[sample_id] for sample_id in outside]
    return {state: sorted(rows) for state, rows in taken.items()}


def _folder(config: Cifar10Config) -> Path:
    root = data_root() / "cifar10"
    folder = root / FOLDER
    if not folder.exists():
        archive = fetch(config.download, root / "cifar-10-python.tar.gz")
        extract(archive, folder, folder=FOLDER)
    return folder


def _limited(
    images: NDArray[np.uint8], labels: NDArray[np.uint8], ids: list[str], state: DataStateType, config: Cifar10Config
) -> Images:
    kept = set(limit(ids, getattr(config.sample_limit, state.name), config.seed))
    if len(kept) < len(ids):
        rows = [row for row, sample_id in enumerate(ids) if sample_id in kept]
        images, labels, ids = images[rows], labels[rows], [ids[row] for row in rows]
    if state is DataStateType.unlabeled:
        return Images(images, tuple(ids))
    return LabelledImages(images, tuple(ids), labels)
