"""Messages on a stream of bytes: a header of JSON, then the raw bytes of the arrays that it names.

Arrays cross as `dtype.str`, shape and C-contiguous bytes, received in place. Nothing is pickled: a pickle of numpy 2
does not open in numpy 1, and opening one runs code.

    8 bytes        length of the header, little endian
    header         {"message": TREE, "buffers": [[dtype, shape], ...]} in ASCII
    buffers        one after another

A TREE is JSON whose objects are tagged: {"a": n} is the n-th buffer as an array, {"b": n} as bytes, {"t": [..]} a
tuple, {"d": {..}} a dictionary, {"m": [[key, value], ..]} one whose keys are not all text, {"c": [name, {..}]} a
dataclass of this package. JSON as Python writes it: NaN and infinity have names.
"""

from __future__ import annotations

import dataclasses
import json
import struct
from typing import Any, Callable

import numpy as np
from numpy.typing import NDArray

from leaplab.protocol import (
    binding,
    cuts,
    description,
    explaining,
    inspection,
    model,
    observations,
    operations,
    plan,
    results,
    simulation,
)

Write = Callable[[memoryview], Any]
"""Sends all of the bytes that it is given."""
Fill = Callable[[memoryview], None]
"""Receives bytes until what it is given is full; raises EOFError where the stream ends before."""


@dataclasses.dataclass(frozen=True)
class Call:
    """Ask for an operation by its name. A stream's answers come one by one, as `Item`s, then `Done`."""

    operation: str
    argument: Any = None


@dataclasses.dataclass(frozen=True)
class Close:
    """The session is over. A stream of bytes that ends without this says that the lab has died."""


@dataclasses.dataclass(frozen=True)
class Item:
    """One answer of a stream."""

    value: Any


@dataclasses.dataclass(frozen=True)
class Done:
    """The operation came to its end; the answer, None where it was a stream."""

    value: Any = None


@dataclasses.dataclass(frozen=True)
class Imported:
    """The integration's entry file has been imported: what takes long from here on may well be its data."""


@dataclasses.dataclass(frozen=True)
class Failed:
    """The operation raised.

    Attributes:
        message: for a person.
        mendable: whether the user can mend it (a `LeaplabError`), or leaplab itself is at fault.
        traceback: for a bug report.
    """

    message: str
    mendable: bool
    traceback: str


_MODULES = (
    binding,
    cuts,
    description,
    explaining,
    inspection,
    model,
    observations,
    operations,
    plan,
    results,
    simulation,
)
CLASSES: dict[str, type] = {
    name: found
    for module in _MODULES
    for name, found in vars(module).items()
    if dataclasses.is_dataclass(found) and isinstance(found, type) and found.__module__ == module.__name__
}
"""Every dataclass that may cross, by its name."""
CLASSES.update({found.__name__: found for found in (Call, Close, Item, Done, Imported, Failed)})

_PLAIN = frozenset((bool, int, float, str, type(None)))
_LENGTH = struct.Struct("<Q")
_NUMERIC = "?bhilqBHILQefdgFDGSUmM"


def send(write: Write, message: Any) -> None:
    """Write one message.

    Raises:
        TypeError: it holds something that is neither plain, an array nor a dataclass of this package.
    """
    buffers: list[NDArray[Any]] = []
    tree = _packed(message, buffers)
    described = [[array.dtype.str, array.shape] for array in buffers]
    header = json.dumps({"message": tree, "buffers": described}).encode("ascii")
    write(memoryview(_LENGTH.pack(len(header)) + header))
    for array in buffers:
        if array.size:
            write(_bytes_of(array))


def receive(fill: Fill) -> Any:
    """Read one message.

    Raises:
        EOFError: the stream has ended.
    """
    length = bytearray(_LENGTH.size)
    fill(memoryview(length))
    text = bytearray(_LENGTH.unpack(length)[0])
    fill(memoryview(text))
    header = json.loads(text)
    buffers = []
    for dtype, shape in header["buffers"]:
        array = np.empty(tuple(shape), np.dtype(dtype))
        if array.size:
            fill(_bytes_of(array))
        buffers.append(array)
    return _unpacked(header["message"], buffers)


def _bytes_of(array: NDArray[Any]) -> memoryview:
    """The bytes of a C-contiguous array that is not empty, without a copy."""
    return array.reshape(-1).view(np.uint8).data


def _packed(value: Any, buffers: list[NDArray[Any]]) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is list:
        # Columns of thousands of values: one pass in C where all are plain.
        return value if set(map(type, value)) <= _PLAIN else [_packed(item, buffers) for item in value]
    if kind is tuple:
        return {"t": [_packed(item, buffers) for item in value]}
    if kind is dict:
        if all(type(key) is str for key in value):
            return {"d": {key: _packed(item, buffers) for key, item in value.items()}}
        return {"m": [[_packed(key, buffers), _packed(item, buffers)] for key, item in value.items()]}
    if dataclasses.is_dataclass(value) and CLASSES.get(kind.__name__) is kind:
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return {"c": [kind.__name__, {name: _packed(item, buffers) for name, item in fields.items()}]}
    if isinstance(value, np.ndarray):
        return _packed_array(value, buffers)
    if isinstance(value, np.generic):
        return _packed(value.item(), buffers) if type(value.item()) is not kind else _packed(float(value), buffers)
    if kind in (bytes, bytearray):
        buffers.append(np.frombuffer(value, np.uint8))
        return {"b": len(buffers) - 1}
    bases: tuple[Any, ...] = (str, int, float, list, tuple, dict)
    for base in bases:  # of a subclass, only the plain value crosses
        if isinstance(value, base):
            return _packed(base(value), buffers)
    raise TypeError(f"a {kind.__module__}.{kind.__qualname__} does not cross to the other process")


def _packed_array(array: NDArray[Any], buffers: list[NDArray[Any]]) -> Any:
    if array.dtype.char == "O":
        return _packed(array.tolist(), buffers)
    if array.dtype.char not in _NUMERIC:
        # bfloat16 and its kin are known to their own package alone.
        array = array.astype(np.float32)
    buffers.append(np.asarray(array, order="C").view(np.ndarray))
    return {"a": len(buffers) - 1}


def _unpacked(tree: Any, buffers: list[NDArray[Any]]) -> Any:
    if type(tree) is list:
        return tree if set(map(type, tree)) <= _PLAIN else [_unpacked(item, buffers) for item in tree]
    if type(tree) is not dict:
        return tree
    ((tag, value),) = tree.items()
    if tag == "a":
        return buffers[value]
    if tag == "b":
        return buffers[value].tobytes()
    if tag == "t":
        return tuple(_unpacked(item, buffers) for item in value)
    if tag == "d":
        return {key: _unpacked(item, buffers) for key, item in value.items()}
    if tag == "m":
        return {_unpacked(key, buffers): _unpacked(item, buffers) for key, item in value}
    name, fields = value
    return CLASSES[name](**{key: _unpacked(item, buffers) for key, item in fields.items()})
