import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pycocotools.coco import COCO

from armbench_segmentation.data.coco import Instances, ListedImage, decode, read_annotated, read_images
from data_access.errors import DataError
from tests.armbench_segmentation.conftest import run_length_code

CLASSES = {"Object": 0, "Tote": 1}
SQUARE = [2.0, 1.0, 6.0, 1.0, 6.0, 5.0, 2.0, 5.0]


def _annotation(segmentation: Any, **others: Any) -> dict[str, Any]:
    return {"id": 31, "image_id": 7, "category_id": 5, "segmentation": segmentation, "iscrowd": 0, **others}


def _decoded(path: Path, **arguments: Any) -> Instances:
    content = read_annotated(path, CLASSES, **arguments)
    (image,) = content.images
    return decode(image, content.annotations.get(image.id, ()))


def _reference(path: Path) -> list[NDArray[np.bool_]]:
    """The masks that pycocotools makes of a file of one image."""
    coco = COCO()
    coco.dataset = json.loads(path.read_text(encoding="utf-8"))
    coco.createIndex()
    return [coco.annToMask(annotation).astype(bool) for annotation in coco.dataset["annotations"]]


def test_every_polygon_of_an_annotation_counts_for_mask_and_box(coco: Callable[..., Path]) -> None:
    second = [8.0, 6.0, 11.0, 6.0, 11.0, 8.0, 8.0, 8.0]
    path = coco([_annotation([SQUARE, second])])
    found = _decoded(path)
    assert found.edges.tolist() == [[2, 1, 11, 8]]
    assert found.areas.tolist() == [4 * 4 + 3 * 2]
    np.testing.assert_array_equal(found.masks(), _reference(path))


def test_annotations_of_all_forms_keep_their_order_and_class(coco: Callable[..., Path]) -> None:
    blob = np.zeros((9, 12), bool)
    blob[3:6, 4:9] = True
    blob[4, 5] = False
    path = coco(
        [
            _annotation(run_length_code(blob, True), id=3, category_id=90),
            _annotation([SQUARE], id=1),
            _annotation(run_length_code(~blob, False), id=2, iscrowd=1),
        ]
    )
    found = _decoded(path)
    assert found.classes.tolist() == [1, 0, 0]
    assert found.crowd.tolist() == [False, False, True]
    np.testing.assert_array_equal(found.masks(), _reference(path))
    assert found.union().all()
    assert _decoded(path, crowd_is_instance=True).crowd.tolist() == [False, False, False]
    assert found.chosen(found.crowd).edges.tolist() == [[0, 0, 12, 9]]


def test_crops_hold_no_more_than_their_box(coco: Callable[..., Path]) -> None:
    (crop,) = _decoded(coco([_annotation([SQUARE])])).crops
    assert crop.shape == (4, 4)
    assert crop.base is None, "a view would keep the whole mask in memory"


def test_ids_may_leave_gaps_and_are_no_class_indices(coco: Callable[..., Path]) -> None:
    images = [{"id": number, "file_name": f"{number}.png", "width": 12, "height": 9} for number in (1000, 3, 77)]
    annotations = [_annotation([SQUARE], id=number * 10, image_id=number) for number in (3, 1000)]
    content = read_annotated(coco(annotations, images=images), CLASSES)
    assert [image.id for image in content.images] == [1000, 3, 77]
    assert {image: [one.label for one in found] for image, found in content.annotations.items()} == {3: [0], 1000: [0]}


def test_an_image_without_annotations_has_no_objects() -> None:
    found = decode(ListedImage(7, "seven.png", 12, 9), ())
    assert len(found) == 0
    assert found.edges.shape == (0, 4)
    assert found.masks().shape == (0, 9, 12)
    assert not found.union().any()


def test_a_category_may_be_left_out_but_not_forgotten(coco: Callable[..., Path]) -> None:
    path = coco([_annotation([SQUARE]), _annotation([SQUARE], category_id=90)])
    assert [one.label for one in read_annotated(path, {"Object": 0, "Tote": None}).annotations[7]] == [0]
    with pytest.raises(DataError, match="category 'Tote', which the config does not map") as raised:
        read_annotated(path, {"Object": 0})
    assert "dataset.categories" in str(raised.value)


def test_only_the_chosen_images_are_kept(coco: Callable[..., Path]) -> None:
    images = [{"id": number, "file_name": f"{number}.png", "width": 12, "height": 9} for number in range(5)]
    annotations = [_annotation([SQUARE], image_id=number) for number in range(5)]
    content = read_annotated(coco(annotations, images=images), CLASSES, lambda listed: listed[1:3])
    assert [image.id for image in content.images] == [1, 2]
    assert set(content.annotations) == {1, 2}


def _listed(*ids: int | str) -> list[dict[str, Any]]:
    return [{"id": number, "file_name": f"{number}.png", "width": 12, "height": 9} for number in ids]


BAD_FILES: dict[str, tuple[list[Any], dict[str, Any], str]] = {
    "no annotations": ([], {}, "has no annotations"),
    "an empty annotation": ([{}], {}, "is no COCO file of instances: Object missing required field 'image_id'"),
    "no images": ([_annotation([SQUARE])], {"images": []}, "lists no image"),
    "an image twice": ([_annotation([SQUARE])], {"images": _listed(7, 8, 7)}, "lists the image id 7 twice"),
    "an image twice, as a number and as text": (
        [_annotation([SQUARE])],
        {"images": _listed(7, "7")},
        "lists the image id 7 twice",
    ),
    "an image that is called like an object of another": (
        [_annotation([SQUARE])],
        {"images": _listed("a", "b", "a_10")},
        "lists the image ids a and a_10, and the second is what an object of the first is called: rename one",
    ),
    "a category twice": (
        [_annotation([SQUARE])],
        {"categories": [{"id": 5, "name": "Object"}, {"id": 5, "name": "Tote"}]},
        "lists the category id 5 twice, as 'Object' and 'Tote', so its annotations fit either",
    ),
    "an image of no size": ([_annotation([SQUARE])], {"images": [{**_listed(7)[0], "width": 0}]}, "is 0 x 9 pixels"),
    "an image of half a pixel": ([_annotation([SQUARE])], {"images": [{**_listed(7)[0], "width": 12.5}]}, "12.5 x 9"),
    "an image too large": (
        [_annotation([SQUARE])],
        {"images": [_listed(7)[0], {**_listed(8)[0], "width": 100_000, "height": 100_000}]},
        "image 8 (8.png) is 100000 x 100000 pixels, where whole numbers from 1 belong, of at most 134,217,728 pixels",
    ),
    "a size beyond 64 bits": (
        [_annotation([SQUARE])],
        {"images": [_listed(7)[0], {**_listed(8)[0], "width": 2**64}]},
        "is no COCO file of instances: Expected 'int' <= 9223372036854775807 - at '$.images[1].width'",
    ),
    "an id beyond 64 bits": (
        [_annotation([SQUARE]), _annotation([SQUARE], image_id=10**30)],
        {},
        "Expected 'int' <= 9223372036854775807 - at '$.annotations[1].image_id'",
    ),
    "images that are none": ([_annotation([SQUARE])], {"images": ["seven.png"]}, "is no COCO file of instances"),
    "categories that are none": ([_annotation([SQUARE])], {"categories": {"5": "Object"}}, "is no COCO file"),
}


@pytest.mark.parametrize(("annotations", "changes", "said"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_file_that_contradicts_itself_is_one_sentence(
    annotations: list[Any], changes: dict[str, Any], said: str, coco: Callable[..., Path]
) -> None:
    path = coco(annotations, **changes)
    with pytest.raises(DataError) as raised:
        read_annotated(path, CLASSES)
    assert str(path) in str(raised.value)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.995])
def test_a_file_cut_short_is_one_sentence(share: float, coco: Callable[..., Path]) -> None:
    path = coco([_annotation([SQUARE])])
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    for read in (lambda: read_annotated(path, CLASSES), lambda: read_images(path)):
        with pytest.raises(DataError, match="is cut short or damaged") as raised:
            read()
        assert str(path) in str(raised.value)
        assert "copy it here again" in str(raised.value)


def test_a_missing_file_tells_of_the_generator(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="train.json is missing") as raised:
        read_annotated(tmp_path / "train.json", CLASSES)
    assert "python -m armbench_segmentation.generate" in str(raised.value)
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        read_images(tmp_path)


def test_a_list_of_images_needs_no_annotations(tmp_path: Path) -> None:
    path = tmp_path / "test.json"
    path.write_text(json.dumps({"images": _listed(5, 2)}), encoding="utf-8")
    assert [image.id for image in read_images(path)] == [5, 2]
    path.write_text(json.dumps({"images": _listed(5, 5)}), encoding="utf-8")
    with pytest.raises(DataError, match="lists the image id 5 twice"):
        read_images(path)


UNUSABLE: dict[str, tuple[dict[str, Any], str]] = {
    "without a segmentation": (
        {"id": 31, "image_id": 7, "category_id": 5},
        "of image 7 (seven.png) has no segmentation",
    ),
    "empty": (_annotation([]), "of image 7 (seven.png) has no segmentation"),
    "too few points": (_annotation([[1, 1, 2, 2]]), "a polygon of 2 points, where it takes 3"),
    "thinner than a pixel": (_annotation([[2, 2, 8, 2, 8, 2.2, 2, 2.2]]), "covers no pixel"),
    "outside": (_annotation([[20, 1, 25, 1, 25, 5]]), "a polygon outside the image of 12 x 9 pixels"),
    "without an area": (_annotation({"size": [9, 12], "counts": [108]}), "covers no pixel"),
    "of another size": (_annotation({"size": [12, 9], "counts": [0, 108]}), "of 9 x 12 pixels for an image of 12 x 9"),
    "too short": (_annotation({"size": [9, 12], "counts": [3, 4]}), "of 7 pixels, not the image's number"),
    "a crowd that is none": (_annotation([], iscrowd=1), "has no segmentation"),
    "of no category": (_annotation([SQUARE], category_id=0), "has category 0, which the file does not list"),
}


@pytest.mark.parametrize(("annotation", "said"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_an_annotation_that_cannot_be_used_is_left_out_counted_and_told_once(
    annotation: dict[str, Any], said: str, coco: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    blob = np.zeros((9, 12), bool)
    blob[3:6, 4:9] = True
    path = coco(
        [_annotation([SQUARE], id=1), annotation, _annotation(run_length_code(blob, True), id=2, category_id=90)]
    )
    content = read_annotated(path, CLASSES)
    found = decode(content.images[0], content.annotations[7])
    assert found.classes.tolist() == [0, 1]
    assert found.edges.tolist() == [[2, 1, 6, 5], [4, 3, 9, 6]]
    assert content.unusable == {7: 1}
    told = capsys.readouterr().err
    assert told.startswith(
        f"{path}: 1 annotation cannot be used and is left out, counted in the metadata count_unusable: "
    )
    assert "annotation 31 " in told
    assert said in told
    assert told.count("\n") == 1
    assert len(read_annotated(path, CLASSES).annotations[7]) == 2
    assert capsys.readouterr() == ("", "")


def test_many_unusable_annotations_are_one_line_that_names_some(
    coco: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    images = [{"id": number, "file_name": f"{number}.png", "width": 12, "height": 9} for number in range(50)]
    annotations = [_annotation([], id=1000 + number, image_id=number // 2) for number in range(100)]
    path = coco([*annotations, _annotation([SQUARE], id=5, image_id=77)], images=images)
    content = read_annotated(path, CLASSES)
    assert content.annotations == {}
    assert content.unusable == dict.fromkeys(range(50), 2)
    told = capsys.readouterr().err
    assert told.startswith(f"{path}: 101 annotations cannot be used and are left out")
    assert [f"annotation {number} " in told for number in range(1000, 1005)] == [True, True, True, False, False]
    assert "; and 98 more. Mend the file" in told
    assert told.count("\n") == 1


def test_an_annotation_of_no_listed_image_is_told_of_and_ends_nothing(
    coco: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    content = read_annotated(coco([_annotation([SQUARE]), _annotation([SQUARE], id=4, image_id=8)]), CLASSES)
    assert {image: len(found) for image, found in content.annotations.items()} == {7: 1}
    assert content.unusable == {}
    assert ": annotation 4 is of image 8, which the file does not list. " in capsys.readouterr().err


def test_what_is_not_asked_for_is_not_judged(coco: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    path = coco(
        [_annotation([], image_id=8), _annotation([], category_id=90), _annotation([SQUARE])], images=_listed(7, 8)
    )
    content = read_annotated(path, {"Object": 0, "Tote": None}, lambda listed: listed[:1])
    assert (len(content.annotations[7]), content.unusable) == (1, {})
    assert capsys.readouterr().err == ""


def test_whole_numbers_may_be_written_with_a_point_and_a_crowd_may_be_null(coco: Callable[..., Path]) -> None:
    images = [{"id": 7.0, "file_name": "seven.png", "width": 12.0, "height": 9.0}]
    categories = [{"id": 5.0, "name": "Object"}]
    changes = ({"iscrowd": None}, {"iscrowd": 1.0, "image_id": 7.0, "category_id": 5.0, "id": 3.0})
    path = coco([_annotation([SQUARE], **each) for each in changes], images=images, categories=categories)
    found = _decoded(path)
    assert (found.size, found.crowd.tolist()) == ((12, 9), [False, True])
    (image,) = read_images(path)
    assert all(type(value) is int for value in (image.id, image.width, image.height))


@pytest.mark.parametrize(("listed", "named"), [("a 7", "a 7"), ("7", "7"), ("7", 7), (7, "7")])
def test_ids_may_be_text(listed: int | str, named: int | str, coco: Callable[..., Path]) -> None:
    content = read_annotated(coco([_annotation([SQUARE], image_id=named)], images=_listed(listed)), CLASSES)
    assert [image.id for image in content.images] == [listed]
    assert {image: len(found) for image, found in content.annotations.items()} == {listed: 1}
    assert content.unusable == {}


def test_categories_of_one_name_are_one(coco: Callable[..., Path]) -> None:
    categories = [{"id": 5, "name": "Object"}, {"id": 6, "name": "Object"}]
    path = coco([_annotation([SQUARE]), _annotation([SQUARE], category_id=6)], categories=categories)
    assert _decoded(path).classes.tolist() == [0, 0]


def test_a_byte_order_mark_is_read(coco: Callable[..., Path]) -> None:
    path = coco([_annotation([SQUARE])])
    text = path.read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8-sig")
    assert len(_decoded(path)) == len(read_images(path)) == 1
    path.write_text(text, encoding="utf-16")
    with pytest.raises(DataError, match="some.json is text in UTF-16: save it as UTF-8"):
        read_annotated(path, CLASSES)


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_json_does_not_have_is_told_by_its_place(word: str, coco: Callable[..., Path]) -> None:
    path = coco([_annotation([SQUARE], area="HERE")])
    text = path.read_text(encoding="utf-8").replace('"HERE"', word)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as raised:
        read_annotated(path, CLASSES)
    word = word.removeprefix("-")
    assert f"{path} has {word} at byte {text.index(word)}, which is no number of JSON" in str(raised.value)


@pytest.mark.parametrize("place", ["id", "image_id", "category_id", "iscrowd"])
def test_a_number_without_end_is_told_by_its_entry(place: str, coco: Callable[..., Path]) -> None:
    path = coco([_annotation([SQUARE]), _annotation([SQUARE], **{place: "HERE"})])
    path.write_text(path.read_text(encoding="utf-8").replace('"HERE"', "1e999"), encoding="utf-8")
    with pytest.raises(DataError) as raised:
        read_annotated(path, CLASSES)
    assert f"Number out of range - at '$.annotations[1].{place}'" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_brackets_without_end_are_one_sentence(coco: Callable[..., Path]) -> None:
    path = coco([_annotation([SQUARE], id=1), _annotation("HERE")])
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"HERE"', "[" * 50_000 + "]" * 50_000), encoding="utf-8")
    with pytest.raises(DataError) as raised:
        read_annotated(path, CLASSES)
    first = text.index('"HERE"') + 97  # three levels are those of the file
    assert f"from byte {first} on, it nests more than 100 levels deep" in str(raised.value)
    assert str(raised.value).startswith(str(path))
