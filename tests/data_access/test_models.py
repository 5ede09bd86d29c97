import os
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from data_access.errors import DataError
from data_access.models import load_onnx_session


@pytest.fixture
def doubling(tmp_path: Path) -> Path:
    """A model that adds its input to itself."""
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 2]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Add", ["x", "x"], ["y"])], "doubling", values[:1], values[1:])
    path = tmp_path / "doubling.onnx"
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return path


def test_a_model_runs_on_the_cpu(doubling: Path) -> None:
    session = load_onnx_session(doubling)
    assert session.get_providers() == ["CPUExecutionProvider"]
    x = np.array([[1, 2], [3, -4]], np.float32)
    np.testing.assert_array_equal(session.run(None, {"x": x})[0], 2 * x)


def test_a_missing_model_is_an_error_that_says_how_it_is_made(tmp_path: Path) -> None:
    for missing in (tmp_path / "no.onnx", tmp_path):
        with pytest.raises(DataError) as raised:
            load_onnx_session(missing)
        assert str(raised.value) == f"The model {missing} is missing; models/README.md says how it is made."


@pytest.mark.parametrize("content", [b"", b"<html>404</html>", b"version https://git-lfs.github.com/spec/v1\n"])
def test_a_file_that_is_no_model_is_an_error_of_one_line_that_names_it(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    with pytest.raises(DataError) as raised:
        load_onnx_session(path)
    assert str(raised.value).startswith(f"{path} cannot be read as an ONNX model: ")
    assert os.linesep not in str(raised.value)


def test_a_model_cut_short_is_no_model(doubling: Path) -> None:
    doubling.write_bytes(doubling.read_bytes()[:40])
    with pytest.raises(DataError, match="cannot be read as an ONNX model"):
        load_onnx_session(doubling)
