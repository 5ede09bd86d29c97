"""The grey map of a report: who is where, and what a pixel says."""

import base64
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from leaplab.report.map_picture import as_address, drawn, places_of

NAN = float("nan")


def test_places_are_shares_of_one_scale_and_north_is_up() -> None:
    points = np.array([[0, 0], [4, 0], [0, 3], [NAN, 1]], np.float32)
    places, tall = places_of(points)
    around = 0.06 * 4
    width, height = 4 + around, 3 + around
    assert tall == pytest.approx(height / width)
    assert places[0] == pytest.approx([0.5 - 2 / width, 0.5 + 1.5 / height])
    assert places[1] == pytest.approx([0.5 + 2 / width, 0.5 + 1.5 / height])
    assert places[2] == pytest.approx([0.5 - 2 / width, 0.5 - 1.5 / height])
    assert np.isnan(places[3]).all()


def test_a_flat_map_is_half_as_high_as_wide_and_a_tall_one_square() -> None:
    flat, tall = places_of(np.array([[0, 0], [10, 1]], np.float32))
    assert tall == 0.5
    assert flat[0, 1] - flat[1, 1] == pytest.approx(1 / 5.3)
    narrow, square = places_of(np.array([[0, 0], [1, 10]], np.float32))
    assert square == 1
    assert narrow[1, 0] - narrow[0, 0] == pytest.approx(1 / 10.6)


@pytest.mark.parametrize("points", [[[3.0, 3.0]], [[1.0, 1.0]] * 5], ids=["one", "all in one place"])
def test_what_has_no_extent_lies_in_the_middle(points: list[list[float]]) -> None:
    assert places_of(np.array(points, np.float32))[0] == pytest.approx(np.full((len(points), 2), 0.5))


def test_a_map_without_a_place_is_empty() -> None:
    places, _ = places_of(np.full((3, 2), NAN, np.float32))
    assert not drawn(places, np.array([1, 2, 3]), 50, 30).any()


def test_a_dot_has_its_value_around_its_place_and_nowhere_else() -> None:
    places = np.array([[0.25, 0.25], [0.75, 0.5], [NAN, NAN]])
    picture = drawn(places, np.array([7, 255, 9]), 100, 100)
    assert picture[25, 25] == 7
    assert picture[50, 75] == 255
    assert 9 not in picture
    down, across = np.nonzero(picture == 7)
    assert np.hypot(down - 25, across - 25).max() <= 6
    assert (down.mean(), across.mean()) == pytest.approx((25, 25), abs=0.5)


def test_dots_at_the_edge_do_not_come_out_at_the_other_one() -> None:
    picture = drawn(np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([1, 2]), 100, 100)
    assert set(np.unique(picture[:20, 80:])) == {0}
    assert set(np.unique(picture[80:, :20])) == {0}


def test_of_two_crowds_in_one_place_neither_hides_the_other() -> None:
    generator = np.random.default_rng(3)
    places = 0.5 + 0.1 * generator.standard_normal((20_000, 2))
    picture = drawn(places, np.repeat([1, 2], 10_000), 200, 200)
    first, second = ((picture == value).sum() for value in (1, 2))
    assert 0.8 < first / second < 1.25


def test_the_address_is_a_picture_with_the_same_values() -> None:
    picture = np.arange(256, dtype=np.uint8).reshape(16, 16)
    address = as_address(picture)
    head, _, content = address.partition(",")
    assert head == "data:image/png;base64"
    assert (np.asarray(Image.open(BytesIO(base64.b64decode(content)))) == picture).all()
