from pathlib import Path

import pytest

from data_access.errors import DataError
from yolov7_foresight.data.images import list_images


def test_images_are_listed_by_stem_whatever_the_case_of_their_suffix(tmp_path: Path) -> None:
    for name in (
        "b.JPG",
        "a.jpeg",
        "größe 1.png",
        "a.b.Png",
        ".hidden.jpg",
        "._b.jpg",
        "Thumbs.db",
        "notes.txt",
        "jpg",
    ):
        (tmp_path / name).touch()
    (tmp_path / "folder.jpg").mkdir()
    found = list_images(tmp_path)
    assert list(found) == ["a.b", "a", "b", "größe 1"]
    assert found["b"] == tmp_path / "b.JPG"


def test_two_images_of_one_stem_are_an_error(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg", "a.png"):
        (tmp_path / name).touch()
    with pytest.raises(DataError, match=r"holds both a\.jpg and a\.png: remove one"):
        list_images(tmp_path)


def test_a_folder_without_images_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(DataError, match="holds no image: put frames there") as raised:
        list_images(tmp_path)
    assert str(tmp_path) in str(raised.value)
    with pytest.raises(DataError, match="cannot be read: No such file or directory"):
        list_images(tmp_path / "none")
