"""Whatever an object of the contract can hold: a picture within 2048 pixels or one sentence, never another failure."""

import json
from io import BytesIO
from typing import Any

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from code_loader.contract.responsedataclasses import BoundingBox, BoundingBox3D
from code_loader.contract.visualizer_classes import (
    LeapAudio,
    LeapGraph,
    LeapHorizontalBar,
    LeapImage,
    LeapImageMask,
    LeapImageWithBBox,
    LeapImageWithHeatmap,
    LeapPointCloud,
    LeapText,
    LeapTextMask,
    LeapVideo,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from leaplab.errors import LeaplabError
from leaplab.protocol.inspection import Visual
from leaplab.render.rendered import render
from leaplab.worker.inspection import plain

# Half surrogates, controls and scripts of all directions among them.
TEXT = st.text(st.characters(codec=None), max_size=12) | st.sampled_from(
    ["", "x" * 3000, "größe 中文 שלום 🐱", "a\nb\0"]
)
NUMBER = st.floats(width=32) | st.sampled_from([0.0, 0.5, 1.0])
ANYTHING = NUMBER | st.none() | st.integers() | TEXT
SIDE = st.integers(1, 9) | st.sampled_from([1, 33, 2100]) | st.integers(0, 9)
CHANNELS = st.sampled_from([1, 3])


def array(*shape, dtype=np.float32) -> Any:
    """Mostly one value, some others: a big array is made as fast as a small one."""
    elements = st.integers(0, 255) if dtype == np.uint8 else NUMBER
    return st.tuples(*(side if isinstance(side, st.SearchStrategy) else st.just(side) for side in shape)).flatmap(
        lambda sides: arrays.arrays(dtype, sides, elements=elements, fill=elements)
    )


def pixels(*shape) -> Any:
    return array(*shape, dtype=np.uint8) | array(*shape)


IMAGE = pixels(SIDE, SIDE, CHANNELS)
LABELS = st.lists(TEXT, max_size=5)
BOX = st.builds(BoundingBox, *[ANYTHING] * 5, label=TEXT | st.none(), rotation=ANYTHING) | st.builds(
    BoundingBox, *[st.floats(-0.5, 1.5)] * 5, label=TEXT, rotation=st.floats(0, 360)
)
EXTENT = st.floats(1e-30, 1e30)
FINITE = st.floats(allow_nan=False, allow_infinity=False, width=32)
BOX_3D = st.builds(BoundingBox3D, FINITE, FINITE, FINITE, EXTENT, EXTENT, EXTENT, FINITE, TEXT, FINITE, st.booleans())
GRAPH = array(SIDE, st.integers(0, 4)).flatmap(
    lambda data: st.builds(
        LeapGraph,
        st.just(data),
        x_label=TEXT,
        y_label=TEXT,
        x_range=st.none() | st.tuples(st.floats(), st.floats()) | st.tuples(st.integers(), st.integers()),
        legend=st.none() | st.lists(TEXT, min_size=data.shape[1], max_size=data.shape[1]),
    )
)


@st.composite
def mask(draw) -> Any:
    image = draw(IMAGE)
    shape = draw(st.just(image.shape[:2]) | st.just(image.shape[:2]) | st.tuples(SIDE, SIDE))
    return LeapImageMask(draw(array(*shape, dtype=np.uint8)), image, draw(LABELS))


@st.composite
def heatmap(draw) -> Any:
    maps = draw(array(st.integers(1, 15), SIDE, SIDE) | array(st.integers(0, 5), SIDE, SIDE) | array(SIDE, SIDE))
    image = draw(array(SIDE, SIDE, CHANNELS) | array(SIDE, SIDE, CHANNELS) | array(SIDE, SIDE, 4) | array(SIDE, SIDE))
    return LeapImageWithHeatmap(image, maps, draw(st.lists(TEXT, min_size=len(maps), max_size=len(maps))))


@st.composite
def text(draw) -> Any:
    tokens = draw(st.lists(TEXT, max_size=20)) * draw(st.sampled_from([1, 50]))
    heat = draw(st.none() | st.just([]))
    if heat is not None:
        heat = draw(st.lists(st.floats(), min_size=1, max_size=9)) * len(tokens)
    return LeapText(tokens, heatmap=heat if heat is None else heat[: len(tokens)])


@st.composite
def text_mask(draw) -> Any:
    tokens = draw(st.lists(TEXT, max_size=20))
    return LeapTextMask(draw(array(draw(st.just(len(tokens)) | SIDE), dtype=np.uint8)), tokens, draw(LABELS))


@st.composite
def bars(draw) -> Any:
    body = draw(array(SIDE))
    labels = draw(st.lists(TEXT, min_size=1, max_size=3)) * len(body)
    truth = draw(st.none() | array(len(body)) | array(SIDE) | st.just(np.array([None] * len(body))))
    return LeapHorizontalBar(body, labels[: len(body)], truth)


@st.composite
def audio(draw) -> Any:
    samples = draw(array(SIDE) | array(SIDE, dtype=np.uint8) | st.just(np.array(["a"])))
    rate = draw(st.integers(1, 10) | st.integers(1, 2**40) | st.just(16_000))
    return LeapAudio(samples, rate, draw(GRAPH | st.builds(LeapImage, IMAGE)))


@st.composite
def point_cloud(draw) -> Any:
    count = draw(st.integers(1, 40) | st.just(6000))
    finite = arrays.arrays(np.float32, (count, 3), elements=FINITE, fill=FINITE)
    intensity = st.none() | arrays.arrays(np.float32, count, elements=FINITE, fill=FINITE)
    boxes = draw(st.none() | st.lists(BOX_3D, max_size=4).map(lambda some: some * 3))
    return LeapPointCloud(draw(finite), draw(intensity), boxes)


HOSTILE = {
    "Image": st.builds(LeapImage, IMAGE),
    "ImageWithBBox": st.builds(LeapImageWithBBox, IMAGE, st.lists(BOX, max_size=6) | st.none()),
    "ImageMask": mask(),
    "ImageWithHeatmap": heatmap(),
    "Text": text(),
    "TextMask": text_mask(),
    "Graph": GRAPH,
    "HorizontalBar": bars(),
    "Video": st.builds(LeapVideo, pixels(st.integers(0, 20), SIDE, st.integers(0, 9), CHANNELS)),
    "Audio": audio(),
    "PointCloud": point_cloud(),
}


def drawn(leap) -> Any:
    """What is drawn, or None where a sentence says why not."""
    try:
        return render(Visual("visual", leap.type.value, plain(leap)))
    except LeaplabError as refusal:
        sentence = str(refusal)
    assert sentence.endswith(".")
    return None


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_fields_are_a_picture_or_a_sentence(kind):
    @settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(HOSTILE[kind])
    def check(leap) -> Any:
        assert leap.type.value == kind
        rendered = drawn(leap)
        if rendered is None:
            return
        with Image.open(BytesIO(rendered.png)) as picture:
            picture.load()
            assert picture.size == (rendered.width, rendered.height)
            assert max(picture.size) <= 2048
        json.dumps(rendered.data, allow_nan=False, ensure_ascii=False).encode()

    check()
