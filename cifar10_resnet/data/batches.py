"""The python batches of CIFAR-10: pickles, read without running anything that they name.

A batch is a pickled dictionary, described at https://www.cs.toronto.edu/~kriz/cifar.html: `data` [N, 3072] uint8, a row
being the 1,024 red, then the green, then the blue values of an image, row by row; `labels`, N integers in 0..9. The
published files were written by Python 2 and numpy 1; numpy 2 has renamed a module that such a pickle names.
"""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_access.errors import DataError

SIDE = 32
CLASSES = 10
TRAINING_FILES = tuple(f"data_batch_{number}" for number in range(1, 6))
TEST_FILES = ("test_batch",)

MEND = "Delete the folder to have it downloaded again, or put the batches of CIFAR-10's python version there."


def read_batches(folder: Path, names: tuple[str, ...]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The images [N, 32, 32, 3] uint8, RGB, and labels [N] uint8 of some batches, one after the other.

    Raises:
        DataError: a batch is missing, cut short, or no batch of CIFAR-10; names it and says what to do.
    """
    batches = [_read_batch(folder / name) for name in names]
    images = np.concatenate([data for data, _ in batches]).reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), np.concatenate([labels for _, labels in batches])


def _read_batch(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    try:
        with path.open("rb") as file:
            # Python 2 wrote its strings as bytes.
            content = _BatchUnpickler(file, encoding="bytes").load()
    except FileNotFoundError as error:
        raise DataError(f"{path} is missing. {MEND}") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}. Make it a readable file.") from error
    except _RefusedError as error:
        raise DataError(f"{path} was not read: it asks for {error}, which no batch of CIFAR-10 does. {MEND}") from error
    # A damaged pickle may raise anything: it is a program for a small machine, cut at some instruction.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{path} is cut short or damaged ({reason}). {MEND}") from error

    if not isinstance(content, dict) or not {b"data", b"labels"} <= set(content):
        raise DataError(f"{path} holds no 'data' and 'labels', so it is no batch of CIFAR-10. {MEND}")
    data, labels = content[b"data"], content[b"labels"]
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.ndim != 2 or data.shape[1] != 3 * SIDE**2:
        found = f"{data.dtype} {data.shape}" if isinstance(data, np.ndarray) else f"a {type(data).__name__}"
        raise DataError(f"{path}: 'data' is {found}, not uint8 (N, {3 * SIDE**2}). {MEND}")
    if not isinstance(labels, list) or not all(type(label) is int and 0 <= label < CLASSES for label in labels):
        raise DataError(f"{path}: 'labels' is no list of integers in 0..{CLASSES - 1}. {MEND}")
    if len(labels) != len(data) or not labels:
        raise DataError(f"{path} holds {len(labels)} labels for {len(data)} images. {MEND}")
    return data, np.array(labels, np.uint8)


class _RefusedError(Exception):
    """A batch names something that it has no use for."""


class _ArrayClass:
    """Stands for `numpy.ndarray`, which a batch hands to `_reconstruct` and must not call by itself."""


def _empty_array(*_: Any) -> NDArray[np.uint8]:
    # What numpy's own `_reconstruct` gives; the shape and the bytes follow as the array's state, which numpy checks.
    return np.empty(0, np.uint8)


def _byte_type(name: Any, *_: Any) -> np.dtype[np.uint8]:
    if name not in ("u1", b"u1", "|u1", b"|u1"):
        raise _RefusedError(f"an array of {name!r}")
    return np.dtype("u1", align=False, copy=True)  # a copy, because its state is set next


def _text_to_bytes(text: Any, encoding: Any) -> bytes:
    # How Python 3 writes bytes at protocol 2.
    if not isinstance(text, str) or encoding not in ("latin1", b"latin1"):
        raise _RefusedError("a codec")
    return text.encode("latin1")


_KNOWN: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy.core.multiarray", "_reconstruct"): _empty_array,
    ("numpy._core.multiarray", "_reconstruct"): _empty_array,
    ("numpy", "ndarray"): _ArrayClass,
    ("numpy", "dtype"): _byte_type,
    ("_codecs", "encode"): _text_to_bytes,
}


class _BatchUnpickler(pickle.Unpickler):
    """Knows the few names that a batch needs, and stand-ins of ours for them: nothing else is ever imported."""

    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        try:
            return _KNOWN[module, name]
        except KeyError:
            raise _RefusedError(f"{module}.{name}") from None
