import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pycocotools import mask as coco_masks

from armbench_segmentation.data.segmentations import BadSegmentationError, Mask, check, mask
from tests.armbench_segmentation.conftest import run_length_code

SIZE = (12, 9)
SQUARE = [2.0, 1.0, 6.0, 1.0, 6.0, 5.0, 2.0, 5.0]


def _whole(found: Mask, size: tuple[int, int] = SIZE) -> NDArray[np.bool_]:
    """The mask in its image."""
    width, height = size
    (left, top), crop = found
    image = np.zeros((height, width), bool)
    image[top : top + crop.shape[0], left : left + crop.shape[1]] = crop
    return image


def _is_tight(crop: NDArray[np.bool_]) -> bool:
    return all(side.any() for side in (crop[0], crop[-1], crop[:, 0], crop[:, -1]))


def _read(segmentation: Any, size: tuple[int, int] = SIZE) -> Mask:
    content = json.dumps(segmentation).encode()
    check(content, size)
    return mask(content, size)


def _refusal(segmentation: Any, size: tuple[int, int] = SIZE) -> str:
    content = segmentation if isinstance(segmentation, bytes) else json.dumps(segmentation).encode()
    for judge in (check, mask):
        with pytest.raises(BadSegmentationError) as raised:
            judge(content, size)
    return str(raised.value)


bitmaps = st.integers(0, 2**108 - 1).map(
    lambda bits: np.array([bits >> n & 1 for n in range(108)], bool).reshape(9, 12)
)
rectangles = st.tuples(st.integers(-5, 14), st.integers(-5, 11), st.integers(1, 9), st.integers(1, 6)).map(
    lambda place: (place[0], place[1], place[0] + place[2], place[1] + place[3])
)


@given(bitmaps.filter(lambda bitmap: bool(bitmap.any())), st.booleans())
def test_run_lengths_of_either_form_are_the_mask(bitmap: NDArray[np.bool_], compressed: bool) -> None:
    found = _read(run_length_code(bitmap, compressed))
    np.testing.assert_array_equal(_whole(found), bitmap)
    assert _is_tight(found.crop)


def _compressed(counts: list[int]) -> str:
    """A run-length code as `rleToString` of the published maskApi.c writes one, empty runs included."""
    text = ""
    for row, count in enumerate(counts):
        value = count - counts[row - 2] if row > 2 else count
        while True:
            digit, value = value & 31, value >> 5
            ends = value == (-1 if digit & 16 else 0)
            text += chr(48 + digit + (0 if ends else 32))
            if ends:
                break
    return text


@given(st.lists(st.sampled_from([0, 0, 1, 2, 9, 30]), max_size=12), st.booleans())
def test_empty_runs_say_nothing_and_move_no_box(counts: list[int], compressed: bool) -> None:
    while sum(counts) > 108:
        counts.pop()
    counts = [*counts, 108 - sum(counts)]
    pixels = np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape(12, 9).T
    code = {"size": [9, 12], "counts": _compressed(counts) if compressed else counts}
    if not pixels.any():
        assert _refusal(code) == "covers no pixel"
        return
    found = _read(code)
    np.testing.assert_array_equal(_whole(found), pixels)
    assert _is_tight(found.crop)


@given(st.lists(rectangles, min_size=1, max_size=3))
def test_polygons_over_the_border_are_cut_there(parts: list[tuple[int, int, int, int]]) -> None:
    expected = np.zeros((9, 12), bool)
    for x1, y1, x2, y2 in parts:
        expected[max(0, y1) : max(0, y2), max(0, x1) : max(0, x2)] = True
    polygons = [[x1, y1, x2, y1, x2, y2, x1, y2] for x1, y1, x2, y2 in parts]
    if any(x2 <= 0 or y2 <= 0 or x1 >= 12 or y1 >= 9 for x1, y1, x2, y2 in parts):
        assert "outside the image" in _refusal(polygons)
    else:
        np.testing.assert_array_equal(_whole(_read(polygons)), expected)


corners = st.floats(-3, 15, allow_nan=False, width=32)


@given(
    st.lists(
        st.lists(corners, min_size=6, max_size=14).filter(lambda piece: len(piece) % 2 == 0), min_size=1, max_size=3
    )
)
def test_any_polygons_are_drawn_as_pycocotools_draws_them_or_cover_nothing_there(pieces: list[list[float]]) -> None:
    expected = coco_masks.decode(coco_masks.merge(coco_masks.frPyObjects(pieces, 9, 12))).astype(bool)
    beyond = any(
        min(along) >= side or max(along) <= 0 or min(along) < -side or max(along) > 2 * side
        for piece in pieces
        for along, side in ((piece[::2], 12), (piece[1::2], 9))
    )
    if beyond:
        assert "outside the image" in _refusal(pieces)
    elif not expected.any():
        assert _refusal(pieces) == "covers no pixel"
    else:
        np.testing.assert_array_equal(_whole(_read(pieces)), expected)


@pytest.mark.parametrize("speck", [[], [1, 1], [1, 1, 8, 7], [7.1, 7.1, 7.2, 7.1, 7.2, 7.2]])
def test_a_piece_that_covers_nothing_takes_nothing_from_the_others(speck: list[float]) -> None:
    expected = coco_masks.decode(coco_masks.frPyObjects([SQUARE], 9, 12))[..., 0]
    for polygons in ([SQUARE, speck], [speck, SQUARE]):
        np.testing.assert_array_equal(_whole(_read(polygons)), expected)


def test_whole_numbers_may_be_written_with_a_point() -> None:
    bitmap = np.zeros((9, 12), bool)
    bitmap[2:5, 3:8] = True
    counts = [float(count) for count in run_length_code(bitmap, False)["counts"]]
    np.testing.assert_array_equal(_whole(_read({"size": [9.0, 12.0], "counts": counts})), bitmap)


def test_a_long_compressed_code_is_counted_to_the_last_pixel() -> None:
    rng = np.random.default_rng(5)
    bitmap = np.zeros((411, 613), bool)
    bitmap[rng.integers(0, 400) :, 100:500] = True
    bitmap ^= rng.random(bitmap.shape) < 0.001
    np.testing.assert_array_equal(_whole(_read(run_length_code(bitmap, True), (613, 411)), (613, 411)), bitmap)


BAD: dict[str, tuple[Any, str]] = {
    "null": (None, "has no segmentation"),
    "no polygon": ([], "has no segmentation"),
    "an empty polygon": ([[]], "a polygon of 0 points, where it takes 3"),
    "two points": ([[1, 1, 2, 2]], "a polygon of 2 points, where it takes 3"),
    "half a point": ([[*SQUARE, 1]], "a polygon of 9 numbers, not x and y by turns"),
    "a box": ([1, 2, 3, 4], "a polygon that is no list of numbers"),
    "words": ([["1", "2", "3", "4", "5", "6"]], "a polygon that is no list of numbers"),
    "truth": ([[True, 2, 3, 4, 5, 6]], "a polygon that is no list of numbers"),
    "to the right": ([[12, 1, 15, 1, 15, 5]], "a polygon outside the image of 12 x 9 pixels"),
    "below": ([[1, 9, 5, 9, 5, 12]], "a polygon outside the image of 12 x 9 pixels"),
    "to the left": ([[-4, 1, 0, 1, 0, 5]], "a polygon outside the image"),
    "nearly all outside": ([[1, 1, 1e9, 1, 1e9, 5]], "a polygon outside the image"),
    "a number without end": (b"[[1, 1, 1e999, 1, 5, 5]]", "cannot be read (Number out of range - at '$[0][2]')"),
    "a number of 400 digits": ([[1, 1, 10**400, 1, 5, 5]], "a polygon that is no list of numbers"),
    "a number of 5,000 digits": (b"[[%b]]" % (b"9" * 5000), "cannot be read (Integer value out of range"),
    "thinner than a pixel": ([[2.1, 2.1, 2.2, 2.1, 2.2, 2.2]], "covers no pixel"),
    "a line": ([[1, 1, 8, 8, 1, 1]], "covers no pixel"),
    "the same twice": ([[*SQUARE, *SQUARE]], "covers no pixel"),
    "transposed": ({"size": [12, 9], "counts": [0, 108]}, "of 9 x 12 pixels for an image of 12 x 9"),
    "another size": ({"size": [4, 5], "counts": "0d0"}, "of 5 x 4 pixels for an image of 12 x 9"),
    "no size": ({"size": None, "counts": [108]}, "of None pixels"),
    "a long size": ({"size": [9] * 999, "counts": [108]}, "of [9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, ... pixels"),
    "too short": ({"size": [9, 12], "counts": [3, 4]}, "of 7 pixels, not the image's number"),
    "too long": ({"size": [9, 12], "counts": [3, 400]}, "of 403 pixels, not the image's number"),
    "negative": ({"size": [9, 12], "counts": [-3, 111]}, "not the image's number"),
    "beyond 64 bits": ({"size": [9, 12], "counts": [2**64, 3]}, "neither text nor whole numbers"),
    "compressed, too short": ({"size": [9, 12], "counts": "34"}, "of 7 pixels"),
    "compressed, cut short": ({"size": [9, 12], "counts": "0T"}, "of 0 pixels"),
    "compressed, a number without end": ({"size": [9, 12], "counts": "o" * 2_000_000}, "of 0 pixels"),
    "no code": ({"size": [9, 12], "counts": "§ 3"}, "not the image's number"),
    "nothing": ({"size": [9, 12], "counts": ""}, "of 0 pixels"),
    "counts of another kind": ({"size": [9, 12], "counts": [1.5, 3]}, "neither text nor whole numbers"),
    "without an area": ({"size": [9, 12], "counts": [108]}, "covers no pixel"),
    "without an area, in three": ({"size": [9, 12], "counts": [54, 0, 54]}, "covers no pixel"),
    "of another kind": ({"rle": "x"}, "neither a list of polygons nor a run-length code"),
    "a number": (3, "neither a list of polygons nor a run-length code"),
}


@pytest.mark.parametrize(("segmentation", "said"), BAD.values(), ids=BAD.keys())
def test_what_is_no_mask_is_refused_with_the_reason(segmentation: Any, said: str) -> None:
    reason = _refusal(segmentation)
    assert said in reason
    assert "\n" not in reason
    assert len(reason) < 150


OUTLINE = """
import json, resource, sys
from armbench_segmentation.data.segmentations import check
resource.setrlimit(resource.RLIMIT_AS, (2 * 2**30, 2 * 2**30))
zigzag = [value for column in range(20_000) for value in (column % 2 * 3000, column % 7)]
try:
    check(json.dumps([zigzag]).encode(), (3000, 3000))
except ValueError as error:
    print(error)
"""


def test_an_outline_that_would_fill_the_memory_is_not_drawn() -> None:
    done = subprocess.run([sys.executable, "-c", OUTLINE], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "has polygons with an outline of 6e+07 pixels\n"), done.stderr


def test_the_longest_outline_of_a_photograph_is_drawn() -> None:
    angles = np.linspace(0, 2 * np.pi, 4000, endpoint=False)
    radii = np.where(np.arange(4000) % 2, 900, 800)  # a saw blade
    points = np.stack([1224 + radii * np.cos(angles), 1024 + radii * np.sin(angles)], axis=1)
    found = _read([points.ravel().tolist()], (2448, 2048))
    assert found.crop.sum() == pytest.approx(4000 / 2 * np.sin(2 * np.pi / 4000) * 900 * 800, rel=1e-2)
