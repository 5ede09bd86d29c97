import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from code_loader.contract.enums import DataStateType
from msgspec.structs import replace
from PIL import Image
from pycocotools.coco import COCO

from armbench_segmentation import encoders
from armbench_segmentation.config import ArmbenchConfig, Part, SampleLimit
from armbench_segmentation.data.preprocess import AnnotatedTotes, Totes, load_state, preprocess_responses
from data_access.errors import DataError

TRAINING, VALIDATION = DataStateType.training, DataStateType.validation
UNLABELED = DataStateType.unlabeled


def test_one_response_a_state_with_string_ids_that_name_the_image(folder: Path, config: ArmbenchConfig) -> None:
    responses = {response.state: response for response in preprocess_responses(config)}
    assert {state: len(response.sample_ids) for state, response in responses.items()} == {
        TRAINING: 8,
        VALIDATION: 4,
        UNLABELED: 4,
    }
    assert responses[TRAINING].sample_ids == [f"train_{number}" for number in range(1, 9)]
    assert responses[UNLABELED].sample_ids == [f"test_{number}" for number in range(1, 5)]
    for response in responses.values():
        assert list(response.data.ids) == response.sample_ids


def test_images_and_masks_are_those_of_the_files(
    folder: Path, config: ArmbenchConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    totes = load_state(config, TRAINING)
    coco = COCO(str(folder / "train.json"))
    labels = {category["id"]: config.classes[category["name"]] for category in coco.dataset["categories"]}
    for sample_id in totes.ids:
        image_id = int(sample_id.split("_")[1])
        (listed,) = coco.loadImgs(image_id)
        assert totes.file_name(sample_id) == listed["file_name"]
        assert totes.size(sample_id) == (640, 536)
        assert totes.origin(sample_id) == folder / "images" / listed["file_name"]
        bgr = cv2.imread(str(totes.origin(sample_id)))
        assert bgr is not None
        np.testing.assert_array_equal(totes.image(sample_id), bgr[..., ::-1])
        annotations = coco.loadAnns(coco.getAnnIds(image_id))
        found = totes.objects(sample_id)
        assert found is not None
        assert found.classes.tolist() == [labels[annotation["category_id"]] for annotation in annotations]
        np.testing.assert_array_equal(found.masks(), [coco.annToMask(annotation) for annotation in annotations])


def test_objects_are_counted_without_a_look_at_their_masks_and_crowds_are_none(
    folder: Path, config: ArmbenchConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = json.loads((folder / "train.json").read_text(encoding="utf-8"))
    of_first = [entry for entry in content["annotations"] if entry["image_id"] == 1]
    of_first[0]["iscrowd"] = 1
    (folder / "train.json").write_text(json.dumps(content), encoding="utf-8")
    totes = load_state(config, TRAINING)
    monkeypatch.setattr("pycocotools.mask.decode", None)
    assert totes.count("train_1") == len(of_first) - 1
    counted = {sample_id: totes.count(sample_id) for sample_id in totes.ids[1:]}
    monkeypatch.undo()
    monkeypatch.setenv("LEAP_DATA_ROOT", str(folder.parents[1]))
    for sample_id, count in counted.items():
        found = totes.objects(sample_id)
        assert found is not None
        assert count == len(found)
    assert load_state(config, UNLABELED).count("test_1") == 0


def test_the_id_of_an_object_stands_for_its_image(folder: Path, config: ArmbenchConfig) -> None:
    totes = load_state(config, TRAINING)
    for sample_id, element_id in (("train_2", "train_2_0"), ("train_1", "train_1_11"), ("train_2", "train_2_3")):
        assert totes.image(element_id) is totes.image(sample_id)
        assert totes.objects(element_id) is totes.objects(sample_id)
        assert totes.file_name(element_id) == totes.file_name(sample_id)
        assert totes.size(element_id) == totes.size(sample_id)
        assert totes.origin(element_id) == totes.origin(sample_id)
        assert totes.count(element_id) == totes.count(sample_id)


def test_the_masks_of_the_unlabeled_are_nowhere_to_be_found(folder: Path, config: ArmbenchConfig) -> None:
    (folder / "test.json").write_text(
        json.dumps({"images": json.loads((folder / "test.json").read_text(encoding="utf-8"))["images"]})
    )
    unlabeled = load_state(config, UNLABELED)
    assert not isinstance(unlabeled, AnnotatedTotes)
    assert {unlabeled.objects(sample_id) for sample_id in unlabeled.ids} == {None}
    assert unlabeled.image(unlabeled.ids[0]).shape == (536, 640, 3)


def test_a_limit_keeps_a_seeded_subset_with_its_own_images_and_masks(folder: Path, config: ArmbenchConfig) -> None:
    whole = load_state(config, TRAINING)
    drawn = {
        seed: load_state(replace(config, seed=seed, sample_limit=SampleLimit(training=3)), TRAINING)
        for seed in range(6)
    }
    assert {len(some.ids) for some in drawn.values()} == {3}
    assert len({some.ids for some in drawn.values()}) > 1
    again = load_state(replace(config, seed=4, sample_limit=SampleLimit(training=3)), TRAINING)
    assert again.ids == drawn[4].ids
    for sample_id in again.ids:
        np.testing.assert_array_equal(again.image(sample_id), whole.image(sample_id))
        one, other = again.objects(sample_id), whole.objects(sample_id)
        assert one is not None
        assert other is not None
        np.testing.assert_array_equal(one.masks(), other.masks())


def test_what_is_asked_for_again_is_not_read_again(folder: Path, config: ArmbenchConfig) -> None:
    totes = load_state(config, TRAINING)
    first, second = totes.ids[:2]
    image, objects = totes.image(first), totes.objects(first)
    assert totes.image(first) is image
    assert totes.objects(first) is objects
    assert totes.image(second) is not image
    with pytest.raises(ValueError, match="read-only"):
        image[0, 0] = 0


def test_an_image_is_not_turned_because_its_masks_are_not(folder: Path, config: ArmbenchConfig) -> None:
    totes = load_state(config, VALIDATION)
    path = totes.origin("val_1")
    upright = totes.image("val_1")
    orientation = Image.Exif()
    orientation[0x0112] = 6  # a viewer turns it by a quarter
    with Image.open(path) as image:
        image.save(path, exif=orientation, quality=100)
    np.testing.assert_allclose(totes.image("val_1").astype(int), upright, atol=25)


def _break_image(path: Path, how: str) -> None:
    content = path.read_bytes()
    if how == "missing":
        path.unlink()
    elif how == "a folder":
        path.unlink()
        path.mkdir()
    elif how == "another size":
        cv2.imwrite(str(path), np.zeros((20, 30, 3), np.uint8))
    else:
        cut_short = {"cut short": content[: len(content) // 2], "nearly whole": content[:-2]}
        path.write_bytes({"empty": b"", "text": b"not found", **cut_short}[how])


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("missing", "is missing, though"),
        ("a folder", "cannot be read: Is a directory"),
        ("empty", "is empty: replace it by the image"),
        ("cut short", "is cut short, damaged or no image: replace it"),
        ("nearly whole", "is cut short, damaged or no image: replace it"),
        ("text", "is cut short, damaged or no image: replace it"),
        ("another size", "is 30 x 20 pixels, but"),
    ],
)
def test_an_image_that_is_none_is_one_sentence_and_leaves_the_others(
    how: str, said: str, folder: Path, config: ArmbenchConfig
) -> None:
    totes = load_state(config, VALIDATION)
    path = totes.origin("val_2")
    _break_image(path, how)
    with pytest.raises(DataError) as raised:
        totes.image("val_2")
    assert str(path) in str(raised.value)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)
    assert totes.image("val_1").shape == (536, 640, 3)


def test_an_annotation_that_cannot_be_used_leaves_the_rows_of_the_others(
    folder: Path, config: ArmbenchConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = load_state(config, VALIDATION)
    content = json.loads((folder / "val.json").read_text(encoding="utf-8"))
    of_third = [annotation for annotation in content["annotations"] if annotation["image_id"] == 3]
    of_third[1]["segmentation"] = []
    (folder / "val.json").write_text(json.dumps(content), encoding="utf-8")
    totes = load_state(config, VALIDATION)
    found, before = totes.objects("val_3"), whole.objects("val_3")
    assert found is not None
    assert before is not None
    rest = [row for row in range(len(of_third)) if row != 1]
    np.testing.assert_array_equal(found.masks(), before.masks()[rest])
    # The objects that are samples of their own are those of the ground truth, row for row.
    truth = encoders.ground_truth(found, 320, 32)
    assert totes.count("val_3") == int((truth[:, 0] >= 0).sum()) == len(rest)
    expected = encoders.ground_truth(before, 320, 32)[rest]
    np.testing.assert_array_equal(truth[: len(rest)], expected)
    assert {sample_id: totes.unusable(sample_id) for sample_id in totes.ids} == {
        "val_1": 0,
        "val_2": 0,
        "val_3": 1,
        "val_4": 0,
    }
    assert totes.unusable("val_3_4") == 1
    assert load_state(config, UNLABELED).unusable("test_1") is None
    told = capsys.readouterr().err
    assert f"annotation {of_third[1]['id']} of image 3 " in told
    assert told.count("\n") == 1


def test_an_id_that_is_too_long_for_a_sample_is_one_sentence(folder: Path, config: ArmbenchConfig) -> None:
    content = json.loads((folder / "test.json").read_text(encoding="utf-8"))
    content["images"][2]["id"] = "x" * 300
    (folder / "test.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(
        DataError, match=r"test\.json: the sample id test_xxx.* has 305 characters, where 240 are the most"
    ):
        load_state(config, UNLABELED)


@pytest.mark.parametrize("name", ["../../secret.jpg", "/etc/passwd"])
def test_a_file_name_leads_nowhere_but_into_the_folder_of_images(
    name: str, folder: Path, config: ArmbenchConfig
) -> None:
    content = json.loads((folder / "val.json").read_text(encoding="utf-8"))
    content["images"][0]["file_name"] = name
    (folder / "val.json").write_text(json.dumps(content), encoding="utf-8")
    totes = load_state(config, VALIDATION)
    with pytest.raises(DataError, match="leads out of"):
        totes.image(totes.ids[0])


def test_any_coco_dataset_is_read_given_a_config(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: ArmbenchConfig
) -> None:
    """Odd sizes, subfolders, PNG, run lengths, a crowd, ids with gaps, categories of other names, one left out."""
    monkeypatch.setenv("LEAP_DATA_ROOT", str(tmp_path))
    rng = np.random.default_rng(0)
    sizes = {900: (61, 47), 12: (33, 90)}
    (tmp_path / "kitchen" / "photos" / "a").mkdir(parents=True)
    for number, (width, height) in sizes.items():
        cv2.imwrite(
            str(tmp_path / f"kitchen/photos/a/{number}.png"), rng.integers(0, 255, (height, width, 3), np.uint8)
        )

    def annotation(number: int, category: int, segmentation: Any, crowd: int = 0) -> dict[str, Any]:
        return {"image_id": number, "category_id": category, "segmentation": segmentation, "iscrowd": crowd}

    content = {
        "images": [
            {"id": number, "file_name": f"a/{number}.png", "width": width, "height": height}
            for number, (width, height) in sizes.items()
        ],
        "annotations": [
            annotation(12, 44, [[3, 4, 20, 4, 20, 50, 3, 50]]),
            annotation(12, 3, {"size": [90, 33], "counts": [90, 45, 2835]}),
            annotation(12, 44, {"size": [90, 33], "counts": [0, 180, 2790]}, 1),
            annotation(900, 17, [[0, 0, 5, 0, 5, 5]]),
        ],
        "categories": [{"id": 44, "name": "cup"}, {"id": 3, "name": "tray"}, {"id": 17, "name": "cat"}],
    }
    (tmp_path / "kitchen" / "all.json").write_text(json.dumps(content), encoding="utf-8")
    part = Part("all.json", "photos")
    dataset = replace(
        config.dataset,
        folder="kitchen",
        training=part,
        validation=part,
        unlabeled=part,
        categories={"cup": "Object", "tray": "Tote", "cat": None},
    )
    totes = load_state(replace(config, dataset=dataset), TRAINING)
    assert totes.ids == ("all_900", "all_12")
    assert [totes.image(sample_id).shape for sample_id in totes.ids] == [(47, 61, 3), (90, 33, 3)]
    assert len(totes.objects("all_900") or ()) == 0
    found = totes.objects("all_12")
    assert found is not None
    assert found.classes.tolist() == [0, 1, 0]
    assert found.edges.tolist() == [[3, 4, 20, 50], [1, 0, 2, 45], [0, 0, 2, 90]]
    assert found.crowd.tolist() == [False, False, True]
    assert isinstance(load_state(replace(config, dataset=dataset), UNLABELED), Totes)
