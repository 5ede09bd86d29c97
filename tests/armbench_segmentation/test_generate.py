import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from numpy.typing import NDArray
from pycocotools import mask as coco_masks
from pycocotools.coco import COCO

from armbench_segmentation import generate as module
from armbench_segmentation.config import ArmbenchConfig
from armbench_segmentation.generate import annotate, generate, outlines
from armbench_segmentation.simulation import OUTSIDE, TOTE, Scene, draw_tote
from data_access.errors import DataError
from data_access.substitute import MARKER, is_generated


@pytest.fixture
def few(config: ArmbenchConfig) -> ArmbenchConfig:
    """Settings of three small images."""
    some = replace(config.generator, width=160, height=134, training=1, validation=1, unlabeled=1)
    return replace(config, generator=some)


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _decoded(annotations: list[dict[str, Any]], width: int, height: int) -> list[NDArray[np.bool_]]:
    """The masks that pycocotools makes of the annotations of one image."""
    coco = COCO()
    coco.dataset = {
        "images": [{"id": annotations[0]["image_id"], "width": width, "height": height}],
        "annotations": annotations,
    }
    coco.createIndex()
    return [coco.annToMask(annotation).astype(bool) for annotation in annotations]


masks = st.integers(1, 2**63 - 1).map(lambda bits: np.array([bits >> n & 1 for n in range(63)], bool).reshape(7, 9))


@given(masks)
def test_outlines_decode_to_exactly_the_mask(mask: NDArray[np.bool_]) -> None:
    polygons = outlines(mask)
    if polygons is not None:
        code = coco_masks.merge(coco_masks.frPyObjects(polygons, 7, 9))
        np.testing.assert_array_equal(coco_masks.decode(code), mask)


def test_a_mask_with_a_hole_has_no_outlines_and_one_in_parts_has_several() -> None:
    mask = np.zeros((20, 30), bool)
    mask[2:10, 3:15] = True
    mask[12:15, 20:29] = True
    polygons = outlines(mask)
    assert polygons is not None
    assert sorted(len(polygon) for polygon in polygons) == [8, 8]
    mask[5, 8] = False
    assert outlines(mask) is None


def test_annotations_are_exactly_what_the_image_shows(config: ArmbenchConfig) -> None:
    forms = set()
    for seed in range(6):
        scene = draw_tote(640, 536, 9.5, np.random.default_rng(seed))
        annotations = annotate(scene, 4, 100)
        assert [annotation["id"] for annotation in annotations] == list(range(100, 101 + len(scene.kinds)))
        decoded = _decoded(annotations, 640, 536)
        for number, annotation in enumerate(annotations):
            mask = scene.owners == number
            np.testing.assert_array_equal(decoded[number], mask)
            assert annotation["area"] == mask.sum()
            rows, columns = np.nonzero(mask)
            corner = [columns.min(), rows.min()]
            assert annotation["bbox"] == [*corner, *(np.array([columns.max(), rows.max()]) + 1 - corner)]
            assert annotation["category_id"] == (2 if number == 0 else 1)
            segmentation = annotation["segmentation"]
            forms.add("polygons" if isinstance(segmentation, list) else type(segmentation["counts"]).__name__)
    assert forms == {"polygons", "str", "list"}


def test_a_mask_that_begins_at_the_first_pixel_is_told() -> None:
    owners = np.full((6, 8), OUTSIDE, np.int16)
    owners[0:5, 0:7] = TOTE
    owners[0:4, 0:4] = 1
    owners[1:3, 1:3] = TOTE
    scene = Scene(np.zeros((6, 8, 3), np.uint8), owners, ("roll",), (16,), "blue")
    decoded = _decoded(annotate(scene, 1, 1), 8, 6)
    np.testing.assert_array_equal(decoded, [owners == TOTE, owners == 1])


def test_the_layout_is_that_of_the_real_dataset(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {"images", "train.json", "val.json", "test.json", MARKER}
    listed = []
    for name, count in (("train", 8), ("val", 4), ("test", 4)):
        content = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        assert len(content["images"]) == count
        assert {category["name"] for category in content["categories"]} == {"Object", "Tote"}
        assert {annotation["image_id"] for annotation in content["annotations"]} == set(range(1, count + 1))
        listed += [image["file_name"] for image in content["images"]]
    assert sorted(listed) == sorted(path.name for path in (folder / "images").iterdir())
    for name in listed:
        image = cv2.imread(str(folder / "images" / name))
        assert image is not None
        assert image.shape == (536, 640, 3)


def test_the_same_settings_give_the_same_bytes_in_another_process(
    few: ArmbenchConfig, tmp_path: Path, repository: Path
) -> None:
    generate(few, tmp_path / "here")
    ask = (
        "import sys; from pathlib import Path; from msgspec.structs import replace\n"
        "from armbench_segmentation.config import load_config; from armbench_segmentation.generate import generate\n"
        "config = load_config()\n"
        "some = replace(config.generator, width=160, height=134, training=1, validation=1, unlabeled=1)\n"
        "generate(replace(config, generator=some), Path(sys.argv[1]))\n"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "77"}
    subprocess.run([sys.executable, "-c", ask, tmp_path / "there"], cwd=repository, env=environment, check=True)
    assert _files(tmp_path / "here") == _files(tmp_path / "there")


def test_more_images_leave_those_that_are_there_as_they_are(few: ArmbenchConfig, tmp_path: Path) -> None:
    more = replace(few, generator=replace(few.generator, training=3))
    generate(few, tmp_path / "few")
    generate(more, tmp_path / "more")
    few_files, more_files = _files(tmp_path / "few"), _files(tmp_path / "more")
    for name, content in few_files.items():
        if name.startswith("images"):
            assert more_files[name] == content
    assert len(more_files) == len(few_files) + 2


def test_another_seed_and_another_state_show_other_totes(few: ArmbenchConfig, tmp_path: Path) -> None:
    generate(few, tmp_path / "one")
    generate(replace(few, seed=few.seed + 1), tmp_path / "other")
    images = [
        content
        for name in ("one", "other")
        for path, content in _files(tmp_path / name).items()
        if path.startswith("images")
    ]
    assert len(set(images)) == 6


def test_what_is_generated_says_so_and_is_not_generated_twice(few: ArmbenchConfig, tmp_path: Path) -> None:
    folder = tmp_path / "totes"
    assert generate(few, folder)
    assert is_generated(folder)
    text = (folder / MARKER).read_text(encoding="utf-8")
    assert "a substitute for ARMBench" in text
    assert "substitute" in json.loads((folder / "train.json").read_text(encoding="utf-8"))["info"]["description"]
    before = (folder / "train.json").stat().st_mtime_ns
    assert not generate(few, folder)
    assert (folder / "train.json").stat().st_mtime_ns == before


def test_other_settings_replace_a_generated_dataset_only_when_told(few: ArmbenchConfig, tmp_path: Path) -> None:
    folder, other = tmp_path / "totes", replace(few, seed=1)
    generate(few, folder)
    before = _files(folder)
    with pytest.raises(DataError, match="generated with other settings: run again with --replace"):
        generate(other, folder)
    assert _files(folder) == before
    assert generate(other, folder, replace=True)
    assert _files(folder) != before


def test_a_real_dataset_is_never_touched(few: ArmbenchConfig, tmp_path: Path) -> None:
    (tmp_path / "train.json").write_text("real", encoding="utf-8")
    for replaces in (False, True):
        with pytest.raises(DataError, match="holds a dataset that was not generated, and is left alone"):
            generate(few, tmp_path, replaces)
    assert _files(tmp_path) == {"train.json": b"real"}


def test_a_run_that_is_killed_leaves_nothing_that_looks_whole(
    few: ArmbenchConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "totes"

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "annotate", killed)
        with pytest.raises(KeyboardInterrupt):
            generate(few, folder)
    assert not folder.exists()
    generate(few, folder)
    generate(few, tmp_path / "undisturbed")
    assert _files(folder) == _files(tmp_path / "undisturbed")
    assert {path.name for path in tmp_path.iterdir()} == {"totes", "undisturbed"}


def test_a_config_that_could_not_read_them_generates_none(few: ArmbenchConfig, tmp_path: Path) -> None:
    other = replace(few, dataset=replace(few.dataset, categories={"cup": "Object"}))
    with pytest.raises(DataError, match="does not map Object and Tote"):
        generate(other, tmp_path / "totes")


def test_the_command_names_the_folder_and_a_person_can_mend_what_fails(
    folder: Path, few: ArmbenchConfig, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "load_config", lambda: few)
    monkeypatch.setattr(sys, "argv", ["generate"])
    with pytest.raises(SystemExit) as exit_:
        module.main()
    assert exit_.value.code == 2
    assert capsys.readouterr().err.startswith("error: ")
    monkeypatch.setattr(sys, "argv", ["generate", "--replace"])
    module.main()
    assert capsys.readouterr().out == f"{folder}: generated totes, a substitute for ARMBench\n"
    module.main()
    assert capsys.readouterr().out == f"{folder}: is there already\n"
