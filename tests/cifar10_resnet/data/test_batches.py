import os
import pickle
import pickletools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cifar10_resnet.data.batches import TEST_FILES, TRAINING_FILES, read_batches
from data_access.errors import DataError
from tests.cifar10_resnet.fixture_data import batch, python_2

NAME = "test_batch"


@pytest.fixture
def content() -> dict[bytes, Any]:
    return batch(np.random.default_rng(1), NAME)


def _reads_as(path: Path, content: dict[bytes, Any]) -> None:
    images, labels = read_batches(path.parent, (path.name,))
    assert images.dtype == labels.dtype == np.uint8
    assert images.shape == (40, 32, 32, 3)
    assert labels.tolist() == content[b"labels"]
    for row, image in enumerate(images):
        for channel in range(3):
            plane = content[b"data"][row][1024 * channel : 1024 * (channel + 1)]
            np.testing.assert_array_equal(image[..., channel], plane.reshape(32, 32))


def test_a_batch_of_python_2_and_numpy_1_is_read(tmp_path: Path, content: dict[bytes, Any]) -> None:
    written = python_2(content)
    names = {argument for _, argument, _ in pickletools.genops(written) if isinstance(argument, str)}
    assert "numpy.core.multiarray _reconstruct" in names, "the fixture is not what numpy 1 wrote"
    assert not any("_codecs" in name or "numpy._core" in name for name in names)
    (tmp_path / NAME).write_bytes(written)
    _reads_as(tmp_path / NAME, content)


@pytest.mark.parametrize("protocol", range(5))
def test_a_batch_of_python_3_and_numpy_2_is_read(tmp_path: Path, content: dict[bytes, Any], protocol: int) -> None:
    written = pickle.dumps(content, protocol=protocol)
    assert b"numpy._core" in written
    (tmp_path / NAME).write_bytes(written)
    _reads_as(tmp_path / NAME, content)


def test_batches_follow_each_other_in_the_order_asked_for(folder: Path) -> None:
    parts = [read_batches(folder, (name,)) for name in TRAINING_FILES]
    images, labels = read_batches(folder, TRAINING_FILES)
    np.testing.assert_array_equal(images, np.concatenate([part for part, _ in parts]))
    np.testing.assert_array_equal(labels, np.concatenate([part for _, part in parts]))
    assert images.flags["C_CONTIGUOUS"]
    assert len(read_batches(folder, TEST_FILES)[0]) == 40


class _Runs:
    """Pickles as a call of a function."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


HOSTILE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a shell command": (lambda mark: _Runs(os.system, f"touch {mark}"), "posix.system"),
    "a file": (lambda mark: _Runs(open, str(mark), "w"), "io.open"),
    "evaluated code": (lambda mark: _Runs(eval, f"open({str(mark)!r}, 'w')"), "eval"),
    "code among the labels": (lambda mark: {b"data": 1, b"labels": [_Runs(exec, f"open({str(mark)!r}, 'w')")]}, "exec"),
    "a numpy file": (lambda mark: _Runs(np.save, str(mark), np.zeros(2)), "save"),
    "numpy's file reader": (lambda mark: _Runs(np.memmap, str(mark), "uint8", "w+", 0, (4,)), "memmap"),
    "an attribute of a module": (lambda mark: _Runs(getattr, pickle, "loads"), "getattr"),
}


@pytest.mark.parametrize(("make", "named"), HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("protocol", [2, 4])
def test_a_hostile_pickle_runs_nothing_and_is_named(
    make: Callable[[Path], Any], named: str, protocol: int, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    path = tmp_path / NAME
    try:
        path.write_bytes(pickle.dumps(make(mark), protocol=protocol))
    except TypeError:  # a module is not pickled, but the name of one may stand in a pickle
        path.write_bytes(b"cbuiltins\ngetattr\n(cpickle\nloads\nVx\ntR.")
    mark.unlink(missing_ok=True)
    with pytest.raises(DataError) as raised:
        read_batches(tmp_path, (NAME,))
    assert not mark.exists(), "the pickle ran"
    assert str(path) in str(raised.value)
    assert named in str(raised.value)
    assert "which no batch of CIFAR-10 does" in str(raised.value)


def test_the_known_names_cannot_be_turned_against_the_reader(tmp_path: Path) -> None:
    # numpy.dtype of Python objects would let an array hold anything.
    objects = pickle.dumps({b"data": np.array([[None]], object), b"labels": [1]}, protocol=2)
    (tmp_path / NAME).write_bytes(objects)
    with pytest.raises(DataError, match="asks for an array of 'O8'"):
        read_batches(tmp_path, (NAME,))
    # numpy.ndarray called by itself could ask for any amount of memory.
    (tmp_path / NAME).write_bytes(b"cnumpy\nndarray\n((L1000000000000L\ntVu1\ntR.")
    with pytest.raises(DataError, match="cut short or damaged"):
        read_batches(tmp_path, (NAME,))
    # A codec other than the one that Python 3 uses: `zlib`, say, which may blow up.
    (tmp_path / NAME).write_bytes(b"c_codecs\nencode\n(Vx\nVzlib\ntR.")
    with pytest.raises(DataError, match="asks for a codec"):
        read_batches(tmp_path, (NAME,))


def _without(key: bytes) -> Callable[[dict[bytes, Any]], Any]:
    return lambda content: {name: value for name, value in content.items() if name != key}


def _with(**changes: Any) -> Callable[[dict[bytes, Any]], Any]:
    return lambda content: {**content, **{name.encode(): value for name, value in changes.items()}}


FOREIGN: dict[str, tuple[Callable[[dict[bytes, Any]], Any], str]] = {
    "no labels": (_without(b"labels"), "holds no 'data' and 'labels'"),
    "CIFAR-100": (
        lambda content: {b"data": content[b"data"], b"fine_labels": content[b"labels"], b"coarse_labels": []},
        "holds no 'data' and 'labels'",
    ),
    "a list": (lambda content: [1, 2, 3], "holds no 'data' and 'labels'"),
    "label 10": (lambda content: _with(labels=[10] * 40)(content), "integers in 0..9"),
    "label -1": (lambda content: _with(labels=[-1] * 40)(content), "integers in 0..9"),
    "true for a label": (lambda content: _with(labels=[True] * 40)(content), "integers in 0..9"),
    "labels for others": (lambda content: _with(labels=[1] * 39)(content), "39 labels for 40 images"),
    "images of another size": (lambda content: _with(data=content[b"data"][:, :3000])(content), "uint8 (40, 3000)"),
    "images as a list": (lambda content: _with(data=[1, 2])(content), "'data' is a list"),
    "nothing in it": (
        lambda content: _with(data=np.zeros((0, 3072), np.uint8), labels=[])(content),
        "0 labels for 0 images",
    ),
}


@pytest.mark.parametrize(("change", "said"), FOREIGN.values(), ids=FOREIGN.keys())
def test_a_foreign_file_is_an_error_that_names_it_and_says_what_to_do(
    change: Callable[[dict[bytes, Any]], Any], said: str, tmp_path: Path, content: dict[bytes, Any]
) -> None:
    (tmp_path / NAME).write_bytes(python_2(change(content)))
    with pytest.raises(DataError) as raised:
        read_batches(tmp_path, (NAME,))
    assert str(tmp_path / NAME) in str(raised.value)
    assert said in str(raised.value)
    assert "Delete the folder to have it downloaded again" in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.5, 0.9, 0.9999])
def test_a_truncated_file_is_one_sentence(share: float, tmp_path: Path, content: dict[bytes, Any]) -> None:
    whole = python_2(content)
    (tmp_path / NAME).write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(DataError, match="is cut short or damaged") as raised:
        read_batches(tmp_path, (NAME,))
    assert str(tmp_path / NAME) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_missing_batch_is_named(folder: Path) -> None:
    (folder / "data_batch_3").unlink()
    with pytest.raises(DataError, match="data_batch_3 is missing"):
        read_batches(folder, TRAINING_FILES)


def test_a_web_page_is_no_batch(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("<html>404</html>", encoding="utf-8")
    with pytest.raises(DataError, match="is cut short or damaged"):
        read_batches(tmp_path, (NAME,))


def test_a_folder_in_the_place_of_a_batch_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        read_batches(tmp_path, (NAME,))
