"""Messages between the two sides: what goes in comes out, type for type."""

import dataclasses
import importlib
import io
import json
import math
import pkgutil
import struct
from enum import IntEnum
from typing import Any

import numpy as np
import pytest

import leaplab.protocol
from leaplab.protocol import wire
from leaplab.protocol.description import Node, Source
from leaplab.protocol.inspection import Visual
from leaplab.protocol.plan import Part
from leaplab.protocol.results import PartResult


def written(message) -> bytes:
    stream = io.BytesIO()
    wire.send(stream.write, message)
    return stream.getvalue()


def read(data: bytes) -> Any:
    stream = io.BytesIO(data)

    def fill(target: memoryview) -> None:
        if stream.readinto(target) < len(target):
            raise EOFError

    found = wire.receive(fill)
    assert stream.read() == b""
    return found


def crossed(value) -> Any:
    return read(written(wire.Done(value))).value


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        2**80,
        -1.5,
        "",
        "naïve \ud800 \n 'x'",
        b"\x00\xff",
        [],
        [1, None, "a"],
        (),
        (1, (2, [3])),
        {},
        {"a": (1,), "b": {"c": [b"d"]}},
        {1: "one", (2, 3): "two", "4": "four", None: 5},
        [{"a": 1}, ("t",), [2.0]],
        {"d": 1, "a": 2},  # what tags are called
    ],
)
def test_plain_values_come_back_as_they_were(value):
    def types(item) -> Any:
        if isinstance(item, dict):
            return [(types(key), types(inner)) for key, inner in item.items()]
        return (type(item), [types(inner) for inner in item] if isinstance(item, list | tuple) else None)

    assert crossed(value) == value
    assert types(crossed(value)) == types(value)


def test_numbers_that_are_not_finite_keep_their_names():
    nan, infinity, negative = crossed([math.nan, math.inf, -math.inf])

    assert math.isnan(nan)
    assert (infinity, negative) == (math.inf, -math.inf)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.float32).reshape(2, 3),
        np.arange(6, dtype=">i4").reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(20)[::3],
        np.array(3.5, np.float16),
        np.empty((0, 4), np.uint8),
        np.array([True, False]),
        np.array([1 + 2j]),
        np.array(["ab", "ü"]),
        np.array([np.nan, -0.0]),
        np.array(["2026-11-26"], "datetime64[D]"),
    ],
)
def test_arrays_come_back_with_dtype_shape_and_bytes(array):
    found = crossed({"array": array})["array"]

    assert (found.dtype, found.shape, found.tobytes()) == (array.dtype, array.shape, array.tobytes())
    assert found.flags.c_contiguous
    assert found.flags.writeable or found.size == 0


def test_header_is_json_and_the_bytes_of_arrays_follow_as_they_are():
    array = np.arange(3, dtype="<u2")

    data = written(wire.Done([array, 1]))

    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    assert header["buffers"] == [["<u2", [3]]]
    assert data[8 + length :] == array.tobytes()


def test_values_of_numpy_and_subclasses_become_plain():
    class Colour(IntEnum):
        RED = 1

    found = crossed([np.float32(1.5), np.int64(2), np.bool_(True), np.str_("s"), Colour.RED, np.longdouble(0.5)])

    assert found == [1.5, 2, True, "s", 1, 0.5]
    assert [type(value) for value in found] == [float, int, bool, str, int, float]


def test_objects_in_an_array_cross_as_a_list():
    assert crossed(np.array(["a", None, 1], object)) == ["a", None, 1]


def test_dataclasses_come_back_as_themselves():
    node = Node("loss", "loss_1", {"truth": Source("ground_truth", "classes")}, {"": "upward"})
    latents = {"model": np.ones((2, 3), np.float32)}
    result = PartResult(Part(3, "test", 0, 2), ["a", 1], {"x": [None, 2.0]}, latents=latents)

    assert crossed((node, Visual("p", "Image", {"data": None}))) == (node, Visual("p", "Image", {"data": None}))
    found = crossed(result)
    assert (found.part, found.ids, found.metadata) == (result.part, result.ids, result.metadata)
    np.testing.assert_array_equal(found.latents["model"], np.ones((2, 3)))


def test_what_cannot_cross_is_refused_before_anything_is_written():
    @dataclasses.dataclass
    class Stranger:
        value: int = 1

    for value in (object(), Stranger(), {"a": [lambda: None]}):
        stream = io.BytesIO()
        with pytest.raises(TypeError, match="does not cross"):
            wire.send(stream.write, wire.Done(value))
        assert stream.getvalue() == b""


@pytest.mark.parametrize("kept", [0, 5, 20, -1])
def test_stream_that_ends_within_a_message_is_an_end(kept):
    with pytest.raises(EOFError):
        read(written(wire.Done(np.arange(100)))[:kept])


def test_every_dataclass_of_the_protocol_may_cross():
    modules = [
        importlib.import_module(f"leaplab.protocol.{info.name}")
        for info in pkgutil.iter_modules(leaplab.protocol.__path__)
    ]
    declared = {
        found
        for module in modules
        for found in vars(module).values()
        if dataclasses.is_dataclass(found) and isinstance(found, type)
    }

    assert declared == set(wire.CLASSES.values())
