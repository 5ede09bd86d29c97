"""Where the digits lie -> arrays -> one PreprocessResponse per state."""

import sys
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from code_loader.contract.datasetclasses import PreprocessResponse
from code_loader.contract.enums import DataStateType
from numpy.typing import NDArray

from data_access.download import fetch
from data_access.errors import DataError
from data_access.root import data_root
from data_access.sampling import limit
from mnist.config import MnistConfig
from tasks.classification.labelled_images import LabelledImages

SIDE = 28
CLASSES = 10
FALLBACK_TRAINING_SHARE = 0.8


@dataclass(frozen=True)
class Digits(LabelledImages):
    """The digits of one state: [N, 28, 28] uint8, white ink on black; `training_00007` is row 7 of the training images.

    Attributes:
        source: `mnist`, or `scikit-learn digits` where the substitute stands in.
        class_means: [10, 28, 28] float64 in [0, 1], the mean image of each class over *all* training images.
    """

    source: str
    class_means: NDArray[np.float64]


def load_states(config: MnistConfig) -> dict[DataStateType, Digits]:
    """Training and validation digits: MNIST from the data root, downloaded when missing; offline, scikit-learn's.

    Raises:
        DataError: the file is there but cannot be read as MNIST.
    """
    path = data_root() / "mnist" / "mnist.npz"
    try:
        fetch(config.download, path)
    except DataError as error:
        # stderr, because the platform and leaplab read stdout; one line, because it is no failure.
        reason = str(error).splitlines()[0]
        print(f"mnist: using scikit-learn's 1,797 handwritten digits as a substitute. {reason}", file=sys.stderr)
        splits, source = _read_scikit_learn_digits(config.seed), "scikit-learn digits"
    else:
        splits, source = _read_npz(path), "mnist"

    class_means = mean_image_per_class(*splits[DataStateType.training])
    return {
        state: _limited(images, labels, state, source, class_means, config)
        for state, (images, labels) in splits.items()
    }


def preprocess_responses(config: MnistConfig) -> list[PreprocessResponse]:
    """One response per state; `data` is a `Digits`, sample ids are strings."""
    return [
        PreprocessResponse(data=digits, sample_ids=list(digits.ids), state=state)
        for state, digits in load_states(config).items()
    ]


def mean_image_per_class(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """[10, 28, 28] float64 in [0, 1]; NaN for a class without images."""
    means = np.full((CLASSES, *images.shape[1:]), np.nan)
    for label in range(CLASSES):
        members = images[labels == label]
        if len(members):
            means[label] = members.mean(axis=0, dtype=np.float64) / 255.0
    return means


Split = tuple[NDArray[np.uint8], NDArray[np.uint8]]


def _limited(
    images: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    state: DataStateType,
    source: str,
    class_means: NDArray[np.float64],
    config: MnistConfig,
) -> Digits:
    ids = [f"{state.name}_{row:05d}" for row in range(len(images))]
    kept = limit(ids, getattr(config.sample_limit, state.name), config.seed)
    if len(kept) < len(ids):
        rows = [int(sample_id.rsplit("_", 1)[1]) for sample_id in kept]
        images, labels = images[rows], labels[rows]
    return Digits(images, tuple(kept), labels, source, class_means)


def _read_npz(path: Path) -> dict[DataStateType, Split]:
    mend = "Delete it to have it downloaded again."
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in ("x_train", "y_train", "x_test", "y_test")}
    except KeyError as error:
        raise DataError(f"{path} holds no array {error}, so it is not Keras's mnist.npz. {mend}") from error
    # TypeError: a single array, which numpy returns as it is.
    except (OSError, EOFError, TypeError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path} is cut short or damaged ({error}). {mend}") from error

    splits = {
        DataStateType.training: (arrays["x_train"], arrays["y_train"]),
        DataStateType.validation: (arrays["x_test"], arrays["y_test"]),
    }
    for state, (images, labels) in splits.items():
        if labels.ndim != 1 or len(labels) == 0 or labels.dtype.kind not in "ui":
            raise DataError(
                f"{path}: the {state.name} labels are {labels.dtype} {labels.shape}, not integers (N,). {mend}"
            )
        if images.shape != (len(labels), SIDE, SIDE) or images.dtype != np.uint8:
            raise DataError(
                f"{path}: the {state.name} images are {images.dtype} {images.shape} for {len(labels)} labels,"
                f" not uint8 (N, {SIDE}, {SIDE}). {mend}"
            )
        if labels.min() < 0 or labels.max() >= CLASSES:
            raise DataError(f"{path}: a {state.name} label is outside 0..{CLASSES - 1}. {mend}")
    return {state: (images, labels.astype(np.uint8)) for state, (images, labels) in splits.items()}


def _read_scikit_learn_digits(seed: int) -> dict[DataStateType, Split]:
    """8 x 8 digits, enlarged to 20 x 20 in the middle of 28 x 28 as MNIST has them."""
    import cv2
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    bunch = load_digits()
    small = (bunch.images * (255.0 / 16.0)).astype(np.float32)
    images = np.zeros((len(small), SIDE, SIDE), np.uint8)
    for row, image in enumerate(small):
        enlarged = cv2.resize(image, (20, 20), interpolation=cv2.INTER_CUBIC)
        images[row, 4:24, 4:24] = np.clip(np.rint(enlarged), 0, 255)
    training, validation = train_test_split(
        np.arange(len(images)), train_size=FALLBACK_TRAINING_SHARE, stratify=bunch.target, random_state=seed
    )
    labels = bunch.target.astype(np.uint8)
    return {
        DataStateType.training: (images[training], labels[training]),
        DataStateType.validation: (images[validation], labels[validation]),
    }
