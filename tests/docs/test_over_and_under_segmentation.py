"""The pictures of the page, read and put to the code."""

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tasks.segmentation.instances import MaskedDetections, MaskedObjects
from tasks.segmentation.over_under import APART, CONTAINMENT, Divided, over_segmented, under_segmented
from vision.masks import edges

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "over-and-under-segmentation.md").read_text(encoding="utf-8")
PICTURES = re.findall(r"^```masks\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)

Masks = dict[str, NDArray[np.bool_]]


def masks_of(picture: str) -> tuple[Masks, Masks, str]:
    """Letter -> mask of what is there and of what was found, and what the page says of them."""
    *lines, said = picture.strip().splitlines()
    layers = np.array([[list(layer) for layer in line.split()] for line in lines[1:]]).transpose(1, 0, 2)
    masks: dict[str, Masks] = {"there": {}, "found": {}}
    for kind, layer in zip(lines[0].split(), layers, strict=True):
        for letter in sorted(set(layer.ravel()) - {"."}):
            masks[kind][str(letter)] = layer == letter
    return masks["there"], masks["found"], said.removeprefix("says: ")


def in_words(kind: str, divided: Divided, wholes: list[str], parts: list[str]) -> list[str]:
    return [
        f"{kind} {wholes[whole]} = {' '.join(parts[part] for part in np.flatnonzero(row))}"
        for whole, row in zip(divided.wholes, divided.parts, strict=True)
    ]


@pytest.mark.parametrize("picture", PICTURES)
def test_the_code_says_of_a_picture_what_the_page_says(picture: str) -> None:
    there, found, said = masks_of(picture)
    true, predicted = np.stack(list(there.values())), np.stack(list(found.values()))
    objects = MaskedObjects(edges(true), np.zeros(len(true), np.int64), true)
    scores = np.linspace(0.9, 0.5, len(predicted))
    detections = MaskedDetections(edges(predicted), np.zeros(len(predicted), np.int64), scores, predicted)
    answer = in_words("over", over_segmented(objects, detections), list(there), list(found))
    answer += in_words("under", under_segmented(objects, detections), list(found), list(there))
    assert "; ".join(answer) == said.replace("nothing", "")


def test_the_page_has_pictures_and_the_thresholds_of_the_code() -> None:
    assert len(PICTURES) >= 7
    assert f"more than {CONTAINMENT} of its area" in PAGE
    assert f"no more than {APART} of the area" in PAGE
