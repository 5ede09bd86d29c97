import hashlib
import sys

import numpy as np
import onnx
import onnxruntime
import pytest

from leaplab.errors import LeaplabError
from leaplab.protocol.model import ModelSource
from leaplab.worker.loading import load_predictor, model_source


@pytest.fixture
def tiny_file(make_model, tmp_path):
    onnx.save(make_model(), tmp_path / "tiny.onnx")
    return tmp_path / "tiny.onnx"


def sha256(path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_file_is_known_by_its_name_and_content(tiny_file):
    wanted = ModelSource("onnx", "tiny.onnx", sha256(tiny_file), str(tiny_file))

    assert model_source(tiny_file) == wanted
    assert model_source(onnxruntime.InferenceSession(tiny_file)) == wanted
    assert model_source(onnxruntime.InferenceSession(str(tiny_file))) == wanted


def test_file_named_from_the_working_folder_is_told_in_full(tiny_file, monkeypatch):
    monkeypatch.chdir(tiny_file.parent)
    session = onnxruntime.InferenceSession("tiny.onnx")

    assert model_source(session) == ModelSource("onnx", "tiny.onnx", sha256(tiny_file), str(tiny_file))


def test_large_file_has_the_digest_of_all_its_bytes(tmp_path):
    path = tmp_path / "net.h5"
    path.write_bytes(np.random.default_rng(0).bytes((1 << 21) + 17))

    assert model_source(path) == ModelSource("keras", "net.h5", sha256(path), str(path))


def test_session_made_of_bytes_is_known_by_them(make_model):
    content = make_model().SerializeToString()
    digest = hashlib.sha256(content).hexdigest()

    session = onnxruntime.InferenceSession(content)
    assert model_source(session) == ModelSource("onnx", "model.onnx", digest, content=content)


def test_session_of_the_integrations_own_class_is_a_session(tiny_file):
    class Counted(onnxruntime.InferenceSession):  # type: ignore[misc]
        pass

    assert model_source(Counted(tiny_file)).path == str(tiny_file)
    (output,), _ = load_predictor(Counted(tiny_file)).predict([np.ones((2, 6, 6, 1)), np.ones((2, 3))])
    assert output.shape == (2, 3)


def test_session_that_tells_nothing_is_told(tiny_file):
    session = onnxruntime.InferenceSession(tiny_file)
    session._model_path = None

    for ask in (model_source, load_predictor):
        with pytest.raises(LeaplabError, match="session does not tell its file; name it by --model FILE"):
            ask(session)


@pytest.mark.parametrize("name", ["model.pt", "model", "model.onnx.zip"])
def test_unknown_kind_of_model_file_is_told(tmp_path, name):
    (tmp_path / name).write_bytes(b"weights")

    for ask in (model_source, load_predictor):
        with pytest.raises(LeaplabError, match=r"is no .onnx, .h5 or .keras file"):
            ask(tmp_path / name)


@pytest.mark.parametrize(("name", "use"), [("a.onnx", "run as an ONNX model"), ("a.h5", "read as a Keras model")])
def test_file_that_is_gone_is_told(tmp_path, name, use):
    with pytest.raises(LeaplabError, match=f"{name} cannot be {use}: No such file or directory"):
        model_source(tmp_path / name)


@pytest.mark.parametrize("model", [None, {"weights": 1}, object()])
def test_object_that_is_no_model_is_told_without_a_framework(model):
    before = {name for name in sys.modules if name.startswith(("keras", "tensorflow"))}

    for ask in (model_source, load_predictor):
        with pytest.raises(LeaplabError, match="neither a Keras model nor an onnxruntime session; return one of these"):
            ask(model)
    assert {name for name in sys.modules if name.startswith(("keras", "tensorflow"))} == before
