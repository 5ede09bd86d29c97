from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from yolov7_foresight.config import ForesightConfig, load_config

PutFrame = Callable[..., Path]


@pytest.fixture
def config() -> ForesightConfig:
    return load_config()


@pytest.fixture
def put_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PutFrame:
    """`put_frame(folder, stem, label="", suffix=".png")` under a data root of its own; the path of the image.

    `folder` is `POPULATION` or `POPULATION/PART`; the label is the text of its file, None for none. Frames are 40 x 30,
    each of another grey.
    """
    monkeypatch.setenv("LEAP_DATA_ROOT", str(tmp_path))
    greys = iter(range(1, 256))

    def put(folder: str, stem: str, label: str | None = "", suffix: str = ".png") -> Path:
        population, _, part = folder.partition("/")
        image = tmp_path / population / "images" / part / f"{stem}{suffix}"
        image.parent.mkdir(parents=True, exist_ok=True)
        _, content = cv2.imencode(suffix.lower(), np.full((30, 40, 3), next(greys), np.uint8))
        image.write_bytes(content.tobytes())
        if label is not None:
            text = tmp_path / population / "labels" / part / f"{stem}.txt"
            text.parent.mkdir(parents=True, exist_ok=True)
            text.write_text(label, encoding="utf-8")
        return image

    return put


@pytest.fixture
def foresight(put_frame: PutFrame) -> PutFrame:
    """`put_frame`, with three training and two validation frames there already."""
    for stem, label in (("a", "0 0.5 0.5 0.2 0.4\n"), ("b", ""), ("c", "2 0.25 0.5 0.5 1.0\n1 0.5 0.5 0.1 0.1\n")):
        put_frame("foresight/train", stem, label)
    put_frame("foresight/val", "a", "1 0.5 0.5 0.1 0.1\n")
    put_frame("foresight/val", "d", "")
    return put_frame
