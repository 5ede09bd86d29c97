"""What a notebook shows of the answers."""

import base64
import html
import re
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from leaplab.population.clusters import clusters_of
from leaplab.population.insights import Question, insights_of
from leaplab.population.notebook import GREY, INK, MARK, drawn

PICTURES = re.compile(r'<img alt="([^"]*)" width="(\d+)" src="data:image/png;base64,([^"]+)">')


@pytest.fixture
def population(make_population):
    """Two heaps of 30, of which one fails."""
    generator = np.random.default_rng(0)
    heap = np.repeat([0, 1], 30)
    vectors = generator.normal(size=(60, 4)) + 20.0 * heap[:, None]
    columns = {
        "metadata.<b>kind": ("string", ["bolt" if each else "nut" for each in heap]),
        "loss.a": ("float", (heap * 5 + generator.random(60)).tolist()),
    }
    return make_population(columns, vectors=vectors)


def pictures_of(page: Any) -> Any:
    shown = []
    for _, width, content in PICTURES.findall(page):
        with Image.open(BytesIO(base64.b64decode(content))) as picture:
            assert picture.size == (int(width), int(width))
            shown.append(np.asarray(picture.convert("RGB")).astype(int))
    return shown


def nearer_to(pixels: Any, colour: Any, other: Any) -> Any:
    """Which pixels are of a colour rather than of another, or white."""
    to = [np.abs(pixels - np.array(each)).sum(axis=2) for each in (colour, other, (255, 255, 255))]
    return to[0] < np.minimum(to[1], to[2])


def test_clusters_are_rows_with_their_samples_on_the_map(population):
    answer = clusters_of(population, 2, None, None)
    page = answer._repr_html_()

    assert "60 samples, latent space 'model', their number given" in html.unescape(page)
    assert page.count("<tr>") == 3
    assert "metadata.&lt;b&gt;kind nut: 100% (else 0%)" in page
    assert "<b>kind" not in page
    pictures = pictures_of(page)
    assert len(pictures) == 2
    # The halves of the map: what is marked on one is grey on the other.
    marked = [nearer_to(each, MARK, GREY) for each in pictures]
    assert all(each.any() for each in marked)
    assert not (marked[0] & marked[1]).any()


def test_near_samples_are_rows_beside_the_map(population):
    page = population.similar([3], 25)._repr_html_()

    assert "Nearest to s3" in page
    assert "and 5 more samples" in page
    (picture,) = pictures_of(page)
    assert nearer_to(picture, MARK, INK).any()
    assert nearer_to(picture, INK, MARK).any()


def test_insights_are_rows_and_silence_is_told(population):
    answer = insights_of(population, Question())
    page = answer._repr_html_()

    whole = [each for each in answer.insights if each.parent is None]
    assert page.count("<tr>") == 1 + min(len(whole), 20)
    assert len(pictures_of(page)) == min(len(whole), 20)
    assert page.count("<li>") == len(answer.silent) > 0
    assert "<b>kind" not in page


def test_insights_of_a_run_without_a_map_are_rows_alone(make_population):
    page = insights_of(make_population({"loss.a": ("float", [1.0, 2.0, 3.0])}), Question())._repr_html_()

    assert not pictures_of(page)
    assert "There is none." in page


def test_vectors_that_are_not_finite_leave_insights_without_a_map(make_population):
    population = make_population({"loss.a": ("float", [1.0, 2.0])}, vectors=np.full((2, 3), np.nan))

    assert not pictures_of(insights_of(population, Question())._repr_html_())


def test_a_mark_lies_where_the_point_is():
    points = np.array([[-1, -1], [1, 1], [np.nan, 0], [0, 0]], np.float32)
    with Image.open(BytesIO(drawn(points, [(np.array([1, 2]), MARK, 3)], 120))) as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)

    rows, columns = np.nonzero(nearer_to(pixels, MARK, GREY))
    assert rows.max() < 12  # the upper right corner
    assert columns.min() > 105
    rows, columns = np.nonzero(nearer_to(pixels, GREY, MARK))
    places = zip(rows.tolist(), columns.tolist(), strict=True)
    assert {(row > 100, column < 20) for row, column in places} == {(True, True), (False, False)}
