import numpy as np
import pytest

from armbench_segmentation.drawn_objects import KINDS, random_design
from armbench_segmentation.simulation import (
    LEAST_VISIBLE,
    MOST_OBJECTS,
    OUTSIDE,
    TOTE,
    TOTE_COLOURS,
    Scene,
    draw_tote,
)
from vision import statistics


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [draw_tote(640, 536, 9.5, np.random.default_rng(seed)) for seed in range(40)]


def test_a_seed_gives_a_tote(scenes: list[Scene]) -> None:
    again = draw_tote(640, 536, 9.5, np.random.default_rng(3))
    np.testing.assert_array_equal(again.pixels, scenes[3].pixels)
    np.testing.assert_array_equal(again.owners, scenes[3].owners)


def test_every_object_is_to_be_seen_in_the_tote(scenes: list[Scene]) -> None:
    for scene in scenes:
        assert scene.pixels.shape == (536, 640, 3)
        assert scene.pixels.dtype == np.uint8
        numbers, areas = np.unique(scene.owners, return_counts=True)
        assert numbers.tolist() == list(range(OUTSIDE, len(scene.kinds) + 1))
        assert areas[numbers > TOTE].min() > 100
        border = np.concatenate([scene.owners[0], scene.owners[-1], scene.owners[:, 0], scene.owners[:, -1]])
        assert border.max() <= TOTE


def test_totes_of_both_colours_look_it(scenes: list[Scene]) -> None:
    assert {scene.colour for scene in scenes} == set(TOTE_COLOURS)
    expected = {"yellow": (40, 60), "blue": (205, 235)}
    for scene in scenes:
        hue = statistics.dominant_hue(scene.pixels[scene.owners == TOTE])
        assert hue is not None
        least, most = expected[scene.colour]
        assert least < hue < most


def test_totes_hold_as_many_objects_as_asked_for_of_all_kinds(scenes: list[Scene]) -> None:
    counts = [len(scene.kinds) for scene in scenes]
    assert 8.5 < np.mean(counts) < 10.5
    assert min(counts) >= 1
    assert {kind for scene in scenes for kind in scene.kinds} == set(KINDS)
    crowded = draw_tote(640, 536, 30, np.random.default_rng(0))
    assert 12 < len(crowded.kinds) <= MOST_OBJECTS


def test_what_is_laid_later_hides_what_lies_there_but_none_as_good_as_whole(scenes: list[Scene]) -> None:
    visible = []
    for scene in scenes:
        seen = np.bincount(scene.owners[scene.owners > TOTE], minlength=len(scene.kinds) + 1)[1:]
        visible += (seen / scene.areas).tolist()
        assert seen[-1] == scene.areas[-1], "nothing is laid on the last one"
    assert LEAST_VISIBLE <= min(visible) < 0.4
    assert max(visible) == 1
    assert 0.2 < np.mean(np.array(visible) < 1) < 0.8


def test_a_patch_is_opaque_within_and_clear_at_its_border() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        design = random_design(rng, 1.0)
        texture, opacity = KINDS[design.kind](design, rng)
        assert texture.dtype == opacity.dtype == np.uint8
        assert texture.shape == (*opacity.shape, 3)
        border = np.concatenate([opacity[0], opacity[-1], opacity[:, 0], opacity[:, -1]])
        assert border.max() < 128, design.kind
        assert (opacity >= 128).mean() > 0.3, design.kind


@pytest.mark.parametrize(("width", "height"), [(160, 134), (64, 64), (1224, 1024), (300, 700)])
def test_a_tote_may_have_any_size(width: int, height: int) -> None:
    scene = draw_tote(width, height, 9.5, np.random.default_rng(1))
    assert scene.pixels.shape == (height, width, 3)
    assert (scene.owners == TOTE).mean() > 0.2
    assert len(scene.kinds) >= 1
