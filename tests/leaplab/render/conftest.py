"""Leap* objects drawn the way the explorer draws them."""

from collections.abc import Callable
from io import BytesIO
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from leaplab.protocol.inspection import Visual
from leaplab.render.rendered import render
from leaplab.worker.inspection import plain

Draw = Callable[[Any], tuple[NDArray[np.uint8], dict[str, Any]]]


@pytest.fixture(scope="session")
def draw() -> Draw:
    """A Leap* object -> the decoded picture [H, W, 3] and its JSON."""

    def drawn(leap: Any) -> tuple[NDArray[np.uint8], dict[str, Any]]:
        rendered = render(Visual("visual", leap.type.value, plain(leap)))
        with Image.open(BytesIO(rendered.png)) as picture:
            assert (picture.format, picture.width, picture.height) == ("PNG", rendered.width, rendered.height)
            return np.asarray(picture.convert("RGB")), rendered.data

    return drawn


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Callable[[ModuleType], tuple[list[str], list[str]]]:
    """Of a renderer's module: the lists that its legend's names and its notes are added to when it draws."""

    def listen(module: ModuleType) -> tuple[list[str], list[str]]:
        names: list[str] = []
        notes: list[str] = []
        below = vars(module)["below"]

        def listening(picture: Image.Image, legend: Any = (), notes_: Any = (), **named: Any) -> Image.Image:
            names.extend(entry.text for entry in legend)
            notes.extend(named.get("notes", notes_))
            shown: Image.Image = below(picture, legend, named.get("notes", notes_))
            return shown

        monkeypatch.setattr(module, "below", listening)
        return names, notes

    return listen
