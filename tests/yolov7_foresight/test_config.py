from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.changed_settings import assert_frozen, assert_names_file_and_key, load_changed
from yolov7_foresight import config as module
from yolov7_foresight.config import ForesightConfig


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (("labels: [car, pedestrian", "labels: [car, car"), "labels must differ"),
        (("labels: [car, pedestrian, cyclist]", "labels: []"), "labels"),
        (("seed: 42", "sede: 42"), "sede"),
        (("height: 256", "height: 250"), "multiples of the largest stride, 32"),
        (("width: 320", "width: 0"), "input.width"),
        (("layout: NHWC", "layout: HWC"), "input.layout"),
        (("most_objects: 48", "most_objects: 0"), "most_objects"),
        (("training: null", "training: 0"), "training"),
        (("additional: null", "additional: -3"), "additional"),
        (("strides: [8, 16, 32]", "strides: [8, 16]"), "strides (2) and anchors (3)"),
        (("[[11, 11], ", "[[11], "), "anchors"),
        (("[[11, 11], ", "["), "every level of anchors must have as many as the first"),
        (("[[11, 11], ", "[[11, 0], "), "anchors"),
        (("least_score: 0.25", "least_score: 25"), "least_score"),
        (("matching_iou: 0.5", "matching_iou: 0"), "matching_iou"),
        (("clipnorm: 10", "clipnorm: 0"), "training.clipnorm"),
        (("precision_every: 5", "precision_every: 0"), "training.precision_every"),
        (("warmup_epochs: 1\n", "warmup_epochs: 12\n"), "fine_tuning.warmup_epochs must be fewer"),
    ],
)
def test_a_bad_value_is_an_error_that_names_file_and_key(
    change: tuple[str, str], key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_names_file_and_key(module, change, key, tmp_path, monkeypatch)


@pytest.mark.parametrize("path", ["seed", "input.height", "detector.strides", "decoding.most", "sample_limit.training"])
def test_settings_are_frozen(path: str, config: ForesightConfig) -> None:
    assert_frozen(config, path)


def test_the_layout_decides_where_the_channels_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for layout, axis in (("NHWC", -1), ("NCHW", 1)):
        changed = load_changed(module, ("layout: NHWC", f"layout: {layout}"), tmp_path, monkeypatch)
        assert changed.input.channel_dim == axis


def test_every_population_that_a_state_reads_can_be_generated(config: ForesightConfig) -> None:
    assert {"foresight", "foresight_unlabeled", "cognata_a", "cognata_b"} <= set(config.populations)
    assert set(config.populations["foresight"].parts) == {"train", "val"}
    assert not config.populations["foresight_unlabeled"].labelled


def test_the_model_lies_in_the_repository_wherever_it_is_run(
    config: ForesightConfig, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert config.model_path.parent == repository / "models"


def test_fine_tuning_changes_only_what_it_says(config: ForesightConfig) -> None:
    tuned = config.fine_tuned()
    assert (tuned.training.epochs, tuned.training.warmup_epochs, tuned.training.learning_rate) == (12, 1, 0.0005)
    assert replace(tuned, training=config.training) == config
    recipe = replace(tuned.training, epochs=40, warmup_epochs=2, learning_rate=0.002)
    assert recipe == config.training
