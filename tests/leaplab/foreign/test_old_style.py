"""What is said of an integration whose wiring a file tells, or nothing does."""

import shutil
from pathlib import Path

import onnx
import pytest

OLD_STYLE = Path(__file__).with_name("old_style")
WIRING = "losses:\n  squares: {truth: ground_truth.classes, guess: prediction.0}\nmodel_inputs: [image, offsets]\n"


@pytest.fixture
def root(make_model, tmp_path):
    """A copy of the integration, with its model."""
    folder = tmp_path / "integration"
    shutil.copytree(OLD_STYLE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    onnx.save(make_model(), folder / "model.onnx")
    return folder


@pytest.fixture
def told(command, root, tmp_path):
    """`told("--wiring", file)`: the lines that an evaluation says of it."""

    def say(*options: object) -> list[str]:
        arguments = ("--model", root / "model.onnx", "--runs", tmp_path / "runs", "--overwrite")
        finished = command("evaluate", root, *arguments, *options)
        assert finished.code == 0, finished.err
        return [line.strip() for line in finished.err.splitlines()]

    return say


def test_mapping_file_is_taken_and_what_it_names_in_vain_is_told(told, root):
    lines = told()

    path = root / "leap_mapping.yaml"
    assert f"What feeds losses, metrics and visualizers is taken from {path}." in lines
    assert [line for line in lines if line.startswith("leaplab leaves out")] == [
        f"leaplab leaves out the metric 'hit_inside': the layer that feeds 'guess' is no output of the model, and"
        f" leaplab hands over none in between ({path}).",
        f"leaplab leaves out the metric 'gone': metrics names 'gone', which the integration does not have ({path}).",
    ]
    assert not any("No loss runs" in line for line in lines)


def test_wiring_that_is_named_wins(told, root, tmp_path):
    wiring = tmp_path / "mine.yaml"
    wiring.write_text(WIRING)

    lines = told("--wiring", wiring)

    assert f"What feeds losses, metrics and visualizers is taken from {wiring}." in lines
    assert any(line.startswith("mean squares") for line in lines)
    assert not any(line.startswith("mean hit") for line in lines)


def test_only_mapping_file_is_taken_whatever_it_is_called_and_of_two_one_is_asked_for(told, root):
    other = root / "leap_mapping_small.yaml"
    (root / "leap_mapping.yaml").rename(other)
    # Without the mapping, nothing tells that the model takes two of the three inputs.
    assert f"What feeds losses, metrics and visualizers is taken from {other}." in told()

    shutil.copy(other, root / "leap_mapping_large.yaml")
    (root / "leap_binder.py").write_text((root / "leap_binder.py").read_text().replace(*UNFED))
    lines = told()
    assert not any(line.startswith("What feeds") for line in lines)
    (told_of,) = (line for line in lines if line.startswith("No loss runs"))
    assert told_of.endswith(f"name one of {root / 'leap_mapping_large.yaml'}, {other} by it.")
    assert any(line.startswith("mean hit") for line in told("--wiring", other))


UNFED = (
    'leap_binder.set_input(encode_position, "position")\nleap_binder.set_input(encode_offsets, "offsets")\n'
    'leap_binder.set_input(encode_image, "image")\n',
    'leap_binder.set_input(encode_image, "image")\nleap_binder.set_input(encode_offsets, "offsets")\n',
)
"""Only the inputs of the model, in its order."""


def test_without_any_wiring_evaluation_says_how_to_give_a_loss(told, root):
    (root / "leap_binder.py").write_text((root / "leap_binder.py").read_text().replace(*UNFED))
    mapping = root / "leap_mapping.yaml"
    mapping.write_text("decorators: [")  # one that cannot be read is as good as none
    (sentence,) = (line for line in told() if line.startswith("No loss runs"))
    assert f"name one of {mapping} by it" in sentence

    mapping.unlink()
    (sentence,) = (line for line in told() if line.startswith("No loss runs"))
    assert "there is no integration test" in sentence
    assert "--wiring FILE.yaml" in sentence


def test_check_takes_the_mapping_file_and_another_wiring_by_its_option(command, root, tmp_path):
    binder = root / "leap_binder.py"
    binder.write_text(binder.read_text().replace("(guess.max(axis=1) >", "1 / 0 + (guess.max(axis=1) >"))
    wiring = tmp_path / "mine.yaml"
    wiring.write_text(WIRING)

    broken = command("check", root, "--model", root / "model.onnx", "--json")
    assert "ZeroDivisionError" in broken.out, broken
    assert (
        "ZeroDivisionError"
        not in command("check", root, "--model", root / "model.onnx", "--wiring", wiring, "--json").out
    )


def test_mapping_file_gives_way_to_an_integration_test(command, make_project, tmp_path):
    root = make_project()
    shutil.copy(OLD_STYLE / "leap_mapping.yaml", root)

    finished = command("evaluate", root, "--runs", tmp_path, "--limit", 2)

    assert finished.code == 0, finished.err
    assert "leap_mapping" not in finished.err
    assert "mean cross_entropy" in finished.err
