import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from code_loader.contract.enums import DataStateType
from msgspec.structs import replace

from data_access.errors import DataError
from data_access.root import data_root
from tasks.detection.detections import Objects
from tests.yolov7_foresight.fixture_data import OF_EACH, REAL_DATA, small, write
from yolov7_foresight.config import ForesightConfig, SampleLimit
from yolov7_foresight.data.preprocess import (
    Frames,
    SimulatedFrames,
    load_population,
    load_states,
    preprocess_responses,
)

PutFrame = Callable[..., Path]
TRAINING, VALIDATION = DataStateType.training, DataStateType.validation
UNLABELED, ADDITIONAL = DataStateType.unlabeled, DataStateType.additional


def test_the_parts_of_foresight_are_training_and_validation_and_nothing_else_is_there(
    foresight: PutFrame, config: ForesightConfig
) -> None:
    states = load_states(config)
    assert {state: frames.ids for state, frames in states.items()} == {
        TRAINING: ("train/a", "train/b", "train/c"),
        VALIDATION: ("val/a", "val/d"),
    }


def test_a_frame_comes_with_its_own_label_image_file_and_origin(foresight: PutFrame, config: ForesightConfig) -> None:
    frames = load_states(config)[TRAINING]
    objects = frames.objects("train/c")
    assert objects is not None
    np.testing.assert_allclose(objects.edges, np.array([[0, 0, 20, 30], [18, 13.5, 22, 16.5]]))
    assert objects.classes.tolist() == [2, 1]
    empty = frames.objects("train/b")
    assert empty is not None
    assert len(empty) == 0
    assert frames.image("train/c").shape == (30, 40, 3)
    assert [int(frames.image(sample_id)[0, 0, 0]) for sample_id in frames.ids] == [1, 2, 3]
    assert frames.path("train/c") == data_root() / "foresight" / "images" / "train" / "c.png"
    assert frames.origin("train/c") == "foresight"
    assert frames.parameters("train/c") is None
    assert frames.size("train/c") == (40, 30)


def test_the_target_has_no_labels_even_where_some_lie_there(foresight: PutFrame, config: ForesightConfig) -> None:
    foresight("foresight_unlabeled", "n", "0 0.5 0.5 0.1 0.1")
    foresight("foresight_unlabeled", "m", None)
    frames = load_states(config)[UNLABELED]
    assert frames.ids == ("foresight_unlabeled/m", "foresight_unlabeled/n")
    assert {frames.objects(sample_id) for sample_id in frames.ids} == {None}
    assert frames.origin("foresight_unlabeled/n") == "foresight_unlabeled"


@pytest.mark.parametrize("names", [("cognata_a",), ("cognata_b",), ("cognata_a", "cognata_b")])
def test_generated_populations_share_one_state_and_keep_their_origin(
    names: tuple[str, ...], foresight: PutFrame, config: ForesightConfig
) -> None:
    for name in names:
        foresight(name, "a", "1 0.5 0.5 0.5 0.5")
    frames = load_states(config)[ADDITIONAL]
    assert frames.ids == tuple(f"{name}/a" for name in names)
    assert [frames.origin(sample_id) for sample_id in frames.ids] == list(names)
    assert all(len(frames.objects(sample_id) or ()) == 1 for sample_id in frames.ids)


def test_ids_are_unique_over_all_states_though_stems_are_not(foresight: PutFrame, config: ForesightConfig) -> None:
    for name in ("foresight_unlabeled", "cognata_a", "cognata_b"):
        foresight(name, "a")
    responses = preprocess_responses(config)
    ids = [sample_id for response in responses for sample_id in response.sample_ids]
    assert len(set(ids)) == len(ids) == 8
    assert all(type(sample_id) is str and len(sample_id) <= 256 for sample_id in ids)
    assert [response.state for response in responses] == [TRAINING, VALIDATION, UNLABELED, ADDITIONAL]
    assert all(list(response.data.ids) == response.sample_ids for response in responses)


def test_a_limit_keeps_that_many_frames_as_they_are(foresight: PutFrame, config: ForesightConfig) -> None:
    for number in range(6):
        foresight("cognata_a", f"{number}")
        foresight("cognata_b", f"{number}")
    whole = load_states(config)
    limited = load_states(replace(config, sample_limit=SampleLimit(training=2, additional=5)))
    assert [len(frames.ids) for frames in limited.values()] == [2, 2, 5]
    for state, frames in limited.items():
        assert set(frames.ids) <= set(whole[state].ids)
        for sample_id in frames.ids:
            assert frames.path(sample_id) == whole[state].path(sample_id)
    again = load_states(replace(config, sample_limit=SampleLimit(training=2, additional=5)))
    assert {state: frames.ids for state, frames in again.items()} == {
        state: frames.ids for state, frames in limited.items()
    }


def test_missing_data_is_one_sentence_that_says_how_to_get_some(
    config: ForesightConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAP_DATA_ROOT", str(tmp_path))
    with pytest.raises(DataError) as raised:
        preprocess_responses(config)
    assert str(raised.value) == (
        f"{tmp_path / 'foresight'} does not exist: put the data there, or `python -m yolov7_foresight.generate --all` "
        "writes generated frames in its place."
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("missing", ["images/val", "labels/val"])
def test_a_missing_folder_is_named(missing: str, foresight: PutFrame, config: ForesightConfig) -> None:
    shutil.rmtree(data_root() / "foresight" / missing)
    with pytest.raises(DataError, match="cannot be read: No such file or directory") as raised:
        load_states(config)
    assert str(data_root() / "foresight" / missing) in str(raised.value)


def test_a_population_without_images_is_an_error_and_not_left_out(foresight: PutFrame, config: ForesightConfig) -> None:
    (data_root() / "cognata_b" / "images").mkdir(parents=True)
    with pytest.raises(DataError, match=r"cognata_b.images holds no image"):
        load_states(config)


def test_an_image_without_a_label_and_a_label_without_an_image_are_found_before_any_is_read(
    foresight: PutFrame, config: ForesightConfig
) -> None:
    lonely = foresight("foresight/val", "lonely", None)
    with pytest.raises(DataError, match=r"lonely\.png has no label"):
        load_states(config)
    lonely.unlink()
    (data_root() / "foresight" / "labels" / "val" / "lost.txt").touch()
    with pytest.raises(DataError, match=r"lost\.txt has no image"):
        load_states(config)


def test_a_bad_label_or_image_spoils_its_own_sample_alone(foresight: PutFrame, config: ForesightConfig) -> None:
    foresight("foresight/train", "bad label", "1 0.5 0.5 0.2\n")
    foresight("foresight/train", "bad image").write_bytes(b"")
    frames = load_states(config)[TRAINING]
    assert frames.image("train/bad label").shape == (30, 40, 3)
    with pytest.raises(DataError, match=r"bad label\.txt:1: the line holds 4 values"):
        frames.objects("train/bad label")
    for read in (frames.image, frames.objects):
        with pytest.raises(DataError, match=r"bad image\.png is empty"):
            read("train/bad image")
    assert frames.objects("train/a") is not None


@pytest.mark.parametrize("folder", ["foresight", "foresight/labels/train"])
def test_classes_in_another_order_than_the_settings_are_an_error(
    folder: str, foresight: PutFrame, config: ForesightConfig
) -> None:
    classes = data_root() / folder / "classes.txt"
    classes.write_text("car\npedestrian\ncyclist\n", encoding="utf-8")
    load_states(config)
    classes.write_text("pedestrian\ncar\ncyclist\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"classes\.txt lists pedestrian, car, cyclist, but"):
        load_states(config)


def test_a_name_too_long_for_tensorleap_is_an_error(foresight: PutFrame, config: ForesightConfig) -> None:
    foresight("foresight_unlabeled", "x" * 236, None)
    assert len(load_states(config)[UNLABELED].ids[0]) == 256
    foresight("foresight_unlabeled", "y" * 237, None)
    with pytest.raises(DataError, match="has too long a name: make it 236 characters"):
        load_states(config)


def test_a_sample_may_be_asked_for_by_its_position(foresight: PutFrame, config: ForesightConfig) -> None:
    frames = load_states(config)[TRAINING]
    np.testing.assert_array_equal(frames.image(2), frames.image("train/c"))
    assert frames.path(np.int64(1)) == frames.path("train/b")  # type: ignore[arg-type]
    with pytest.raises(KeyError):
        frames.image("val/a")


def _simulated() -> SimulatedFrames:
    boxes = np.array([[1.0, 2.0, 5.0, 9.0]])
    return SimulatedFrames(
        "cognata",
        ("s0", "s1"),
        [np.full((10, 20, 3), value, np.uint8) for value in (7, 8)],
        [Objects(boxes, np.array([0])), Objects(boxes[:0], np.array([], int))],
        {"fisheye": 0.4},
    )


def test_simulated_frames_are_asked_like_stored_ones() -> None:
    frames: Frames = _simulated()
    for key in ("s0", 0):
        assert frames.image(key)[0, 0, 0] == 7
        assert len(frames.objects(key) or ()) == 1
    assert len(frames.objects("s1") or ()) == 0
    assert frames.origin("s1") == "cognata"
    assert frames.path("s1") is None
    assert frames.parameters(1) == {"fisheye": 0.4}
    assert frames.size(1) == (20, 10)
    with pytest.raises(KeyError):
        frames.image("s2")


def test_simulated_frames_of_different_numbers_are_an_error() -> None:
    made = _simulated()
    with pytest.raises(ValueError, match="2 ids, 1 images and 2 labels"):
        SimulatedFrames(made.name, made.ids, made.images[:1], made.labels, made.settings)


def test_a_population_can_be_loaded_whole_or_by_part(foresight: PutFrame, config: ForesightConfig) -> None:
    assert load_population(config, "foresight", "val").ids == ("val/a", "val/d")
    assert load_population(config, "foresight").ids == ("train/a", "train/b", "train/c", "val/a", "val/d")
    foresight("cognata_a", "x")
    assert load_population(config, "cognata_a").ids == ("cognata_a/x",)
    with pytest.raises(DataError, match="foresight_fisheye does not exist"):
        load_population(config, "foresight_fisheye")


def test_what_the_generator_writes_is_read_in_all_its_states(
    config: ForesightConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAP_DATA_ROOT", str(write(tmp_path)))
    states = load_states(config)
    assert {state: len(frames.ids) for state, frames in states.items()} == {
        TRAINING: OF_EACH,
        VALIDATION: OF_EACH,
        UNLABELED: OF_EACH,
        ADDITIONAL: 2 * OF_EACH,
    }
    scenes = small(config).scenes
    for state, frames in states.items():
        found = [frames.objects(sample_id) for sample_id in frames.ids]
        assert frames.image(0).shape == (scenes.height, scenes.width, 3)
        assert all((objects is None) == (state is UNLABELED) for objects in found)
        assert state is UNLABELED or sum(len(objects or ()) for objects in found) > OF_EACH


def test_a_folder_of_many_frames_is_listed_without_reading_them(foresight: PutFrame, config: ForesightConfig) -> None:
    for kind, suffix in (("images", "jpg"), ("labels", "txt")):
        for number in range(2_000):
            (data_root() / "foresight" / kind / "train" / f"{number:06d}.{suffix}").touch()
    started = time.process_time()
    assert len(load_states(config)[TRAINING].ids) == 2_003
    assert time.process_time() - started < 1.0  # a twentieth of that; 100,000 must not take minutes


@pytest.mark.real_data(REAL_DATA)
def test_every_real_frame_and_label_can_be_read(config: ForesightConfig) -> None:
    states = load_states(config)
    for state in (TRAINING, VALIDATION):
        for sample_id in states[state].ids:
            objects = states[state].objects(sample_id)
            assert objects is not None
            height, width = states[state].image(sample_id).shape[:2]
            assert (objects.edges >= 0).all()
            assert (objects.edges <= [width, height, width, height]).all()
