import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from pycocotools import mask as coco_masks

from armbench_segmentation.config import ArmbenchConfig, load_config
from armbench_segmentation.data.coco import Instances
from tests.armbench_segmentation.fixture_data import write

Row = tuple[int, NDArray[np.bool_]]
"""A class and a mask of the whole image."""


@pytest.fixture
def config() -> ArmbenchConfig:
    return load_config()


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with a few generated totes, which no test changes."""
    root = tmp_path_factory.mktemp("totes")
    write(root)
    return root


@pytest.fixture
def folder(generated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of generated totes under a data root of the test's own."""
    shutil.copytree(generated, tmp_path / "root")
    monkeypatch.setenv("LEAP_DATA_ROOT", str(tmp_path / "root"))
    return tmp_path / "root" / "armbench" / "mix-object-tote"


@pytest.fixture
def coco(tmp_path: Path) -> Callable[..., Path]:
    """`coco(annotations, ...)`: a file of image 7, 12 x 9 pixels, with categories Object, 5, and Tote, 90."""

    def write_file(annotations: Sequence[Any], **changes: Any) -> Path:
        content = {
            "images": [{"id": 7, "file_name": "seven.png", "width": 12, "height": 9}],
            "annotations": annotations,
            "categories": [{"id": 90, "name": "Tote"}, {"id": 5, "name": "Object"}],
            **changes,
        }
        path = tmp_path / "some.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    return write_file


def instances(rows: Sequence[Row], size: tuple[int, int] = (12, 9), crowd: Sequence[bool] = ()) -> Instances:
    """Instances by their whole masks."""
    corners, crops = [], []
    for _, mask in rows:
        left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
        corners.append((left, top))
        crops.append(mask[top : top + height, left : left + width])
    return Instances(
        size,
        np.array([label for label, _ in rows], np.int64),
        np.array(crowd or [False] * len(rows), bool),
        np.array(corners, np.int64).reshape(-1, 2),
        tuple(crops),
    )


def run_length_code(mask: NDArray[np.bool_], compressed: bool) -> dict[str, Any]:
    """A mask as COCO writes it, in either form."""
    if compressed:
        code = coco_masks.encode(np.asfortranarray(mask.astype(np.uint8)))
        return {"size": list(code["size"]), "counts": code["counts"].decode()}
    values = mask.ravel(order="F").tolist()
    counts, current = [0], False
    for value in values:
        if value != current:
            counts.append(0)
            current = value
        counts[-1] += 1
    return {"size": list(mask.shape), "counts": counts}


def rectangle(x1: int, y1: int, x2: int, y2: int, size: tuple[int, int] = (12, 9)) -> NDArray[np.bool_]:
    """The mask of a rectangle by its edges."""
    mask = np.zeros(size[::-1], bool)
    mask[y1:y2, x1:x2] = True
    return mask
