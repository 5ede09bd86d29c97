"""A figure is what the commands above it leave in an empty folder."""

import subprocess

import numpy as np
import pytest
from PIL import Image

from docs.draw_figures import draw_by_commands
from docs.pages import Picture


@pytest.fixture
def drawn(tmp_path):
    """Draws a figure by commands, of a run beside others; gives it as RGB."""
    run = tmp_path / "runs" / "digits"
    for name in ("digits", "others"):
        (tmp_path / "runs" / name).mkdir(parents=True)
    for number in range(1, 7):
        Image.new("RGB", (20, 10), (40 * number,) * 3).save(tmp_path / f"{number}.png")

    def draw(*commands):
        placed = tuple(command.replace("SOURCE", str(tmp_path)) for command in commands)
        picture = Picture(tmp_path / "README.md", tmp_path / "images" / "figure.png", placed)
        draw_by_commands(picture, run)
        return np.asarray(Image.open(picture.path))

    return draw


def test_the_file_of_the_figure_s_name_is_taken(drawn):
    assert (drawn("cp SOURCE/2.png other.png", "cp SOURCE/3.png figure.png") == np.full((10, 20, 3), 120)).all()


def test_of_a_heat_map_its_overlay_is_taken(drawn):
    assert (
        drawn("mkdir heatmaps", "cp SOURCE/4.png heatmaps/a-raises.png; cp SOURCE/1.png heatmaps/a-overlay.png") == 40
    ).all()


def test_neighbours_stand_three_beside_each_other_at_half_their_size(drawn):
    figure = drawn("mkdir why; for n in 1 2 3 4 5 6; do cp SOURCE/$n.png why/00$n.png; done")

    assert figure.shape == (10, 30, 3)
    assert figure[::5, ::10, 0].tolist() == [[40, 80, 120], [160, 200, 240]]


def test_the_run_is_the_only_one_that_a_command_finds(drawn):
    drawn('test "$(ls $LEAPLAB_RUNS)" = digits', "cp SOURCE/1.png figure.png")


def test_commands_that_draw_nothing_are_told(drawn):
    with pytest.raises(FileNotFoundError, match=r"No command above figure\.png .* draws it"):
        drawn("true")


def test_a_command_that_fails_ends_it(drawn):
    with pytest.raises(subprocess.CalledProcessError):
        drawn("false", "cp SOURCE/1.png figure.png")
