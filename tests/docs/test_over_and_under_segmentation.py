"""The pictures of the page, read and put to the code, and to a second implementation of the definition."""

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from tasks.segmentation.instances import MaskedDetections, MaskedObjects
from tasks.segmentation.over_under import (
    APART,
    CONTAINMENT,
    FOUND_IOU,
    LEAST_COVERAGE,
    LEAST_SHARE,
    MOST_OUTSIDE,
    Divided,
    over_segmented,
    under_segmented,
)
from tests.tasks.segmentation import plain_over_under as plain
from vision.masks import edges

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "over-and-under-segmentation.md").read_text(encoding="utf-8")
PICTURES = re.findall(r"^```masks\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)

Masks = dict[str, NDArray[np.bool_]]


class Picture(NamedTuple):
    """Letter -> mask of what is there and of what was found, and what the page says of them."""

    there: Masks
    found: Masks
    objects: MaskedObjects
    detections: MaskedDetections
    said: str


def read(picture: str) -> Picture:
    lines = picture.strip().splitlines()
    notes = dict(line.split(": ") for line in lines if ": " in line)
    assert set(notes) <= {"confidence", "another class", "says"}
    layers = np.array([[list(layer) for layer in line.split()] for line in lines[1 : len(lines) - len(notes)]])
    masks: dict[str, Masks] = {"there": {}, "found": {}}
    for kind, layer in zip(lines[0].split(), layers.transpose(1, 0, 2), strict=True):
        for letter in sorted(set(layer.ravel()) - {"."}):
            masks[kind][str(letter)] = layer == letter
    there, found = masks["there"], masks["found"]
    scores = dict(zip(found, np.linspace(0.9, 0.5, len(found)).tolist(), strict=True))
    if "confidence" in notes:
        given = dict(pair.split(" = ") for pair in notes["confidence"].split(", "))
        assert set(given) == set(found)
        scores |= {letter: float(score) for letter, score in given.items()}
    others = notes.get("another class", "").split()
    true, predicted = np.stack(list(there.values())), np.stack(list(found.values()))
    true_classes, classes = (np.array([letter in others for letter in each], np.int64) for each in (there, found))
    objects = MaskedObjects(edges(true), true_classes, true)
    confidences = np.array([scores[letter] for letter in found])
    detections = MaskedDetections(edges(predicted), classes, confidences, predicted)
    return Picture(there, found, objects, detections, notes["says"].replace("nothing", ""))


def in_words(kind: str, parts: plain.Parts, wholes: Masks, pieces: Masks) -> list[str]:
    of_wholes, of_pieces = list(wholes), list(pieces)
    return [
        f"{kind} {of_wholes[whole]} = {' '.join(of_pieces[part] for part in rows)}" for whole, rows in parts.items()
    ]


def rows(divided: Divided) -> plain.Parts:
    return {
        int(whole): np.flatnonzero(parts).tolist() for whole, parts in zip(divided.wholes, divided.parts, strict=True)
    }


@pytest.mark.parametrize("picture", PICTURES)
def test_the_code_says_of_a_picture_what_the_page_says(picture: str) -> None:
    there, found, objects, detections, said = read(picture)
    answer = in_words("over", rows(over_segmented(objects, detections)), there, found)
    answer += in_words("under", rows(under_segmented(objects, detections)), found, there)
    assert "; ".join(answer) == said


@pytest.mark.parametrize("picture", PICTURES)
def test_so_does_the_definition_read_anew(picture: str) -> None:
    there, found, objects, detections, said = read(picture)
    truth, predicted = plain.things(objects), plain.things(detections)
    answer = in_words("over", plain.over(truth, predicted), there, found)
    answer += in_words("under", plain.under(truth, predicted), found, there)
    assert "; ".join(answer) == said


def test_the_page_has_pictures_and_the_thresholds_of_the_code() -> None:
    assert len(PICTURES) >= 25
    page = " ".join(PAGE.split())
    assert f"more than {CONTAINMENT} of its area" in page
    assert f"no more than {APART} of the area" in page
    assert f"at least {LEAST_SHARE} of the area of the largest part" in page
    assert f"at least {LEAST_COVERAGE} of an object; of a detection at most {MOST_OUTSIDE} may lie outside" in page
    assert page.count(f"IoU is at least {FOUND_IOU}") == 1
    assert page.count(f"IoU with it is at least {FOUND_IOU}") == 1
