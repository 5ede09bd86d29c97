from pathlib import Path

import pytest
from msgspec.structs import replace

from armbench_segmentation import config as module
from armbench_segmentation.config import ArmbenchConfig
from tests.changed_settings import assert_frozen, assert_names_file_and_key


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (("labels: [Object, Tote]", "labels: []"), "labels"),
        (("labels: [Object, Tote]", "labels: [Object, Object, Tote]"), "labels must differ"),
        (("    Tote: Tote", "    Tote: Toat"), "'Toat', which is none of the labels"),
        (("container: Tote", "container: Toat"), "'Toat', which is none of the labels"),
        (("size: 320", "size: 300"), "input.size"),
        (("layout: NHWC", "layout: HWC"), "layout"),
        (("most_objects: 32", "most_objects: 0"), "most_objects"),
        (("  unlabeled: 1000", "  unlabeled: 0"), "unlabeled"),
        (("small_share: 0.005", "small_share: 5"), "small_share"),
        (("duplicate_iou: 0.9", "duplicate_iou: 0"), "duplicate_iou"),
        (("blue: 218", "blue: 360"), "tote_hues"),
        (("mean_objects: 9.5", "mean_objects: 0"), "mean_objects"),
        (("jpeg_quality: 92", "jpeg_quality: 101"), "jpeg_quality"),
        (("strides: [8, 16, 32]", "strides: [8, 16]"), "strides (2) and anchors (3)"),
        (("prototypes: 32", "prototypes: 0"), "prototypes"),
        (("least_score: 0.25", "least_score: 25"), "least_score"),
        (("matching_iou: 0.5", "matching_iou: 0"), "matching_iou"),
        (("masks: 0.3", "masks: -1"), "loss_weights.masks"),
        (("warmup_epochs: 2", "warmup_epochs: 99"), "warmup_epochs (99)"),
        (("finer_masks: 2", "finer_masks: 0"), "training.finer_masks"),
        (("seed: 42", "sede: 42"), "sede"),
        (("crowd_is_instance: false", "crowd_is_instance: perhaps"), "crowd_is_instance"),
    ],
)
def test_a_bad_value_is_an_error_that_names_file_and_key(
    change: tuple[str, str], key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_names_file_and_key(module, change, key, tmp_path, monkeypatch)


@pytest.mark.parametrize("path", ["seed", "input.size", "dataset.training.images", "generator.width"])
def test_settings_are_frozen(path: str, config: ArmbenchConfig) -> None:
    assert_frozen(config, path)


def test_class_indices_are_those_of_the_labels_and_a_category_may_be_left_out(config: ArmbenchConfig) -> None:
    assert config.classes == {"Object": 0, "Tote": 1}
    assert config.container == 1
    dataset = replace(config.dataset, categories={"person": None, "crate": "Tote", "bin": "Tote", "cup": "Object"})
    other = replace(config, dataset=dataset, metadata=replace(config.metadata, container=None))
    assert other.classes == {"person": None, "crate": 1, "bin": 1, "cup": 0}
    assert other.container is None


def test_masks_are_a_quarter_of_the_input(config: ArmbenchConfig) -> None:
    assert config.input.mask_size == 80
    assert replace(config.input, size=640).mask_size == 160
    assert (config.input.channel_dim, replace(config.input, layout="NCHW").channel_dim) == (-1, 1)


def test_the_grid_and_the_rules_are_those_of_the_input(config: ArmbenchConfig) -> None:
    assert config.grid.rows == 3 * (40 * 40 + 20 * 20 + 10 * 10)
    assert (config.rules.labels, config.rules.height, config.rules.width) == (("Object", "Tote"), 320, 320)
    assert config.loss_weights.in_order == (0.15, 0.7, 0.3, 0.3)


def test_a_generated_image_has_the_proportions_of_a_real_one(config: ArmbenchConfig) -> None:
    assert config.generator.width / config.generator.height == pytest.approx(2448 / 2048, rel=0.002)
