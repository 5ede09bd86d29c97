from urllib.parse import unquote

import numpy as np
import pytest

from leaplab.files import LONGEST_NAME, cache_folder, file_name, write_array, write_text, written_aside


def test_file_appears_when_it_is_whole(tmp_path):
    target = tmp_path / "deep" / "down" / "file.txt"
    with written_aside(target) as aside:
        aside.write_text("half")
        assert not target.exists()
        aside.write_text("whole")

    assert [path.name for path in target.parent.iterdir()] == ["file.txt"]
    assert target.read_text() == "whole"


def test_nothing_stays_of_a_file_that_failed(tmp_path):
    def fail() -> None:
        with written_aside(tmp_path / "file.txt") as aside:
            aside.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_old_file_stays_when_the_new_one_fails(tmp_path):
    write_text(tmp_path / "file.txt", "öld")

    with pytest.raises(ValueError, match="allow_pickle"):
        write_array(tmp_path / "file.txt", np.array([object()]))
    assert (tmp_path / "file.txt").read_text(encoding="utf-8") == "öld"
    assert len(list(tmp_path.iterdir())) == 1


def test_array_comes_back_as_it_went(tmp_path):
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    write_array(tmp_path / "array.npy", array)

    np.testing.assert_array_equal(np.load(tmp_path / "array.npy"), array)


def test_cache_lies_where_the_person_or_the_system_has_it(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for name in ("LEAPLAB_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    assert cache_folder() == tmp_path / ".cache" / "leaplab"
    monkeypatch.setattr("sys.platform", "darwin")
    assert cache_folder() == tmp_path / "Library" / "Caches" / "leaplab"
    monkeypatch.setenv("XDG_CACHE_HOME", "caches")
    assert cache_folder() == tmp_path / "caches" / "leaplab"
    monkeypatch.setenv("LEAPLAB_CACHE", "~/mine")
    assert cache_folder() == tmp_path / "mine"


NAMES = [
    "mnist_cnn",
    "a b",
    "mAP@0.5",
    "w/h",
    "../../etc",
    "..",
    ".hidden",
    "",
    "größe 7",
    "a\\b:c",
    "x\ny\tz",
    "%2F",
    "a.",
    " a ",
    "/etc/passwd",
    "-rf",
    "\ud800",
    "a" * 500,
    "a" * 499 + "b",
    "é" * 90,
]


@pytest.mark.parametrize("text", NAMES)
def test_any_text_makes_one_ordinary_file_name(tmp_path, text):
    name = file_name(text)
    (tmp_path / name).write_text(text, encoding="utf-8", errors="surrogatepass")

    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert name.isascii()
    assert len(name) <= LONGEST_NAME
    assert not name.startswith((".", "/", " "))
    if 0 < len(text) < 60:
        assert unquote(name, errors="surrogatepass") == text


def test_different_texts_make_different_names_and_plain_ones_are_themselves():
    assert len({file_name(text) for text in NAMES}) == len(NAMES)
    assert [file_name(text) for text in ("mnist_cnn", "training-00", "mAP@0.5 (best)")] == [
        "mnist_cnn",
        "training-00",
        "mAP@0.5 (best)",
    ]
