"""A small dataset in the format of the real one, for machines without it: seeded, and no substitute for photographs."""

import io
import pickle
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

REAL_DATA = "cifar10/cifar-10-batches-py/batches.meta"
NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
BATCHES = ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch")
OF_EACH = 4
"""Images of each class in each batch."""


class Python2Pickler(pickle._Pickler):
    """Writes what Python 2 and numpy 1 wrote: strings of bytes, and numpy's modules by their old names."""

    dispatch: ClassVar[Any] = dict(pickle._Pickler.dispatch)
    write: Any
    memoize: Any

    def save_bytes(self, value: bytes) -> None:
        if len(value) < 256:
            self.write(pickle.SHORT_BINSTRING + bytes([len(value)]) + value)
        else:
            self.write(pickle.BINSTRING + len(value).to_bytes(4, "little") + value)
        self.memoize(value)

    dispatch[bytes] = save_bytes

    def save_global(self, value: Any, name: str | None = None) -> None:
        module, name = value.__module__, name or value.__qualname__
        self.write(pickle.GLOBAL + f"{module.replace('numpy._core', 'numpy.core')}\n{name}\n".encode())
        self.memoize(value)

    for kind in (type, type(len), type(lambda: None)):
        dispatch[kind] = save_global


def python_2(content: Any) -> bytes:
    """What the published batches look like."""
    stream = io.BytesIO()
    Python2Pickler(stream, protocol=2).dump(content)
    return stream.getvalue()


def batch(rng: np.random.Generator, name: str) -> dict[bytes, Any]:
    """The content of one batch: `OF_EACH` images of each class, in random order."""
    labels = rng.permutation(np.repeat(np.arange(10), OF_EACH)).tolist()
    data = np.stack([draw(label, rng).transpose(2, 0, 1).reshape(-1) for label in labels])
    files = [f"{name}_{row}.png".encode() for row in range(len(labels))]
    return {b"batch_label": name.encode(), b"labels": labels, b"data": data, b"filenames": files}


def draw(label: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """[32, 32, 3] uint8: noise, and a square whose place and colour tell the class."""
    image = rng.integers(0, 90, (32, 32, 3), dtype=np.uint8)
    top, left = 4 + 5 * (label // 5) * 2, 2 + 6 * (label % 5)
    image[top : top + 10, left : left + 6] = (25 * label, 255 - 25 * label, 128 + 12 * label)
    return image


def write(root: Path, seed: int = 0) -> Path:
    """Write seeded batches under a data root, as Python 2 wrote them; their folder."""
    folder = (root / REAL_DATA).parent
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    for name in BATCHES:
        (folder / name).write_bytes(python_2(batch(rng, name)))
    meta = {b"label_names": [name.encode() for name in NAMES], b"num_cases_per_batch": 10 * OF_EACH, b"num_vis": 3072}
    (folder / "batches.meta").write_bytes(python_2(meta))
    return folder
