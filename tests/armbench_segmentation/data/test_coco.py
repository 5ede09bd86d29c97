import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pycocotools import mask as coco_masks
from pycocotools.coco import COCO

from armbench_segmentation.data.coco import Annotation, Instances, ListedImage, decode, read_annotated, read_images
from data_access.errors import DataError

CLASSES = {"Object": 0, "Tote": 1}
SQUARE = [2.0, 1.0, 6.0, 1.0, 6.0, 5.0, 2.0, 5.0]
IMAGE = ListedImage(7, "seven.png", 12, 9)


def _annotation(segmentation: Any, **others: Any) -> dict[str, Any]:
    return {"id": 31, "image_id": 7, "category_id": 5, "segmentation": segmentation, "iscrowd": 0, **others}


def _decoded(path: Path, **arguments: Any) -> Instances:
    content = read_annotated(path, CLASSES, **arguments)
    (image,) = content.images
    return decode(path, image, content.annotations.get(image.id, ()))


def _reference(path: Path) -> list[NDArray[np.bool_]]:
    """The masks that pycocotools makes of a file of one image."""
    coco = COCO()
    coco.dataset = json.loads(path.read_text(encoding="utf-8"))
    coco.createIndex()
    return [coco.annToMask(annotation).astype(bool) for annotation in coco.dataset["annotations"]]


def _code(mask: NDArray[np.bool_], compressed: bool) -> dict[str, Any]:
    if compressed:
        code = coco_masks.encode(np.asfortranarray(mask.astype(np.uint8)))
        return {"size": list(code["size"]), "counts": code["counts"].decode()}
    values = mask.ravel(order="F").tolist()
    counts, current = [0], False
    for value in values:
        if value != current:
            counts.append(0)
            current = value
        counts[-1] += 1
    return {"size": list(mask.shape), "counts": counts}


masks = st.integers(0, 2**108 - 1).map(lambda bits: np.array([bits >> n & 1 for n in range(108)], bool).reshape(9, 12))
rectangles = st.tuples(st.integers(-5, 14), st.integers(-5, 11), st.integers(1, 9), st.integers(1, 6)).map(
    lambda place: (place[0], place[1], place[0] + place[2], place[1] + place[3])
)


@given(masks.filter(lambda mask: bool(mask.any())), st.booleans(), st.booleans())
def test_run_lengths_of_either_form_are_the_mask_crowd_or_not(
    mask: NDArray[np.bool_], compressed: bool, crowd: bool
) -> None:
    content = json.dumps(_code(mask, compressed)).encode()
    found = decode(Path("x.json"), IMAGE, [Annotation("annotation 1", 0, crowd, content)])
    np.testing.assert_array_equal(found.mask(0), mask)
    assert found.crowd.tolist() == [crowd]
    rows, columns = np.nonzero(mask)
    edges = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    assert found.edges.tolist() == [edges]
    assert found.areas.tolist() == [mask.sum()]


@given(st.lists(rectangles, min_size=1, max_size=3))
def test_polygons_over_the_border_are_cut_there(parts: list[tuple[int, int, int, int]]) -> None:
    expected = np.zeros((9, 12), bool)
    for x1, y1, x2, y2 in parts:
        expected[max(0, y1) : max(0, y2), max(0, x1) : max(0, x2)] = True
    polygons = [[x1, y1, x2, y1, x2, y2, x1, y2] for x1, y1, x2, y2 in parts]
    annotation = Annotation("annotation 1", 0, False, json.dumps(polygons).encode())
    if any(x2 <= 0 or y2 <= 0 or x1 >= 12 or y1 >= 9 for x1, y1, x2, y2 in parts):
        with pytest.raises(DataError, match="outside the image"):
            decode(Path("x.json"), IMAGE, [annotation])
    else:
        np.testing.assert_array_equal(decode(Path("x.json"), IMAGE, [annotation]).mask(0), expected)


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
            _annotation(_code(blob, True), id=3, category_id=90),
            _annotation([SQUARE], id=1),
            _annotation(_code(~blob, False), id=2, iscrowd=1),
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


def test_an_image_without_annotations_has_no_objects(coco: Callable[..., Path]) -> None:
    path = coco([_annotation([SQUARE])])
    found = decode(path, IMAGE, ())
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


TOO_LITTLE = _code(np.ones((9, 12), bool), False)["counts"]
BAD_SEGMENTATIONS: dict[str, tuple[dict[str, Any], str]] = {
    "none": ({"id": 31, "image_id": 7, "category_id": 5}, "has no segmentation"),
    "null": (_annotation(None), "has no segmentation"),
    "no polygon": (_annotation([]), "has no segmentation"),
    "an empty polygon": (_annotation([[]]), "a polygon of 0 points, where it takes 3"),
    "two points": (_annotation([SQUARE, [1, 1, 2, 2]]), "a polygon of 2 points, where it takes 3"),
    "half a point": (_annotation([[*SQUARE, 1]]), "a polygon of 9 numbers, not x and y by turns"),
    "a box": (_annotation([1, 2, 3, 4]), "a polygon that is no list of numbers"),
    "words": (_annotation([["1", "2", "3", "4", "5", "6"]]), "a polygon that is no list of numbers"),
    "to the right": (_annotation([[12, 1, 15, 1, 15, 5]]), "a polygon outside the image of 12 x 9 pixels"),
    "below": (_annotation([[1, 9, 5, 9, 5, 12]]), "a polygon outside the image of 12 x 9 pixels"),
    "to the left": (_annotation([[-4, 1, 0, 1, 0, 5]]), "a polygon outside the image"),
    "nearly all outside": (_annotation([[1, 1, 1e9, 1, 1e9, 5]]), "a polygon outside the image"),
    "thinner than a pixel": (_annotation([[2.1, 2.1, 2.2, 2.1, 2.2, 2.2]]), "covers no pixel"),
    "transposed": (_annotation({"size": [12, 9], "counts": [0, 108]}), "of 9 x 12 pixels for an image of 12 x 9"),
    "another size": (_annotation({"size": [4, 5], "counts": "0d0"}), "of 5 x 4 pixels for an image of 12 x 9"),
    "no size": (_annotation({"size": None, "counts": [108]}), "of None pixels"),
    "too short": (_annotation({"size": [9, 12], "counts": [3, 4]}), "of 7 pixels, not the image's number"),
    "too long": (_annotation({"size": [9, 12], "counts": [3, 400]}), "of 403 pixels, not the image's number"),
    "negative": (_annotation({"size": [9, 12], "counts": [-3, 111]}), "not the image's number"),
    "compressed, too short": (_annotation({"size": [9, 12], "counts": "34"}), "of 7 pixels"),
    "compressed, cut short": (_annotation({"size": [9, 12], "counts": "0T"}), "of 0 pixels"),
    "no code": (_annotation({"size": [9, 12], "counts": "§ 3"}), "not the image's number"),
    "nothing": (_annotation({"size": [9, 12], "counts": ""}), "of 0 pixels"),
    "counts of another kind": (_annotation({"size": [9, 12], "counts": [1.5, 3]}), "neither text nor whole numbers"),
    "empty": (_annotation({"size": [9, 12], "counts": [108]}), "covers no pixel"),
    "of another kind": (_annotation({"rle": "x"}), "neither a list of polygons nor a run-length code"),
    "a number": (_annotation(3), "neither a list of polygons nor a run-length code"),
}


@pytest.mark.parametrize(("annotation", "said"), BAD_SEGMENTATIONS.values(), ids=BAD_SEGMENTATIONS.keys())
def test_a_segmentation_that_is_none_is_one_sentence_when_its_sample_is_asked_for(
    annotation: dict[str, Any], said: str, coco: Callable[..., Path]
) -> None:
    path = coco([annotation])
    content = read_annotated(path, CLASSES)
    with pytest.raises(DataError) as raised:
        decode(path, content.images[0], content.annotations[7])
    message = str(raised.value)
    assert message.startswith(f"{path}: annotation 31 of image 7 (seven.png) ")
    assert said in message
    assert "\n" not in message


def test_a_long_compressed_code_is_counted_to_the_last_pixel() -> None:
    rng = np.random.default_rng(5)
    image = ListedImage(1, "large.jpg", 613, 411)
    mask = np.zeros((411, 613), bool)
    mask[rng.integers(0, 400) :, 100:500] = True
    mask ^= rng.random(mask.shape) < 0.001
    content = json.dumps(_code(mask, True)).encode()
    np.testing.assert_array_equal(decode(Path("x"), image, [Annotation("a", 0, False, content)]).mask(0), mask)


def _listed(*ids: int) -> list[dict[str, Any]]:
    return [{"id": number, "file_name": f"{number}.png", "width": 12, "height": 9} for number in ids]


BAD_FILES: dict[str, tuple[list[Any], dict[str, Any], str]] = {
    "no annotations": ([], {}, "has no annotations"),
    "an empty annotation": ([{}], {}, "is no COCO file of instances: Object missing required field 'image_id'"),
    "no images": ([_annotation([SQUARE])], {"images": []}, "lists no image"),
    "an image twice": ([_annotation([SQUARE])], {"images": _listed(7, 8, 7)}, "lists the image id 7 twice"),
    "an unknown image": (
        [_annotation([SQUARE], image_id=8)],
        {},
        "annotation 31 is of image 8, which the file",
    ),
    "an unknown category": ([_annotation([SQUARE], category_id=0)], {}, "annotation 31 has category 0, which the file"),
    "an image of no size": ([_annotation([SQUARE])], {"images": [{**_listed(7)[0], "width": 0}]}, "is 0 x 9 pixels"),
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
