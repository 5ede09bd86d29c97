import hashlib
import sys
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from leaplab.errors import LeaplabError
from leaplab.protocol.model import ModelSource
from leaplab.worker.loading import broken_file, load_predictor, model_source


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


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab\nsize 132735\n"
BROKEN = [
    (POINTER, "is a pointer of Git LFS, not the model itself; run `git lfs pull` in its repository."),
    (
        b"\n <!DOCTYPE html><html><title>Sign in</title>",
        "is a web page, not a model; download the model again, from its",
    ),
    (b"<html lang='en'>", "is a web page, not a model"),
    (b"", "is empty; download or export the model again."),
]


@pytest.mark.parametrize("name", ["net.onnx", "net.h5", "net.keras"])
@pytest.mark.parametrize(("held", "told"), BROKEN, ids=["pointer", "page", "plain page", "empty"])
def test_file_that_holds_no_model_is_told(tmp_path, name, held, told):
    (tmp_path / name).write_bytes(held)

    for ask in (model_source, load_predictor):
        with pytest.raises(LeaplabError) as raised:
            ask(tmp_path / name)
        assert str(raised.value).startswith(f"{tmp_path / name} {told}")


@pytest.mark.parametrize(("held", "told"), BROKEN, ids=["pointer", "page", "plain page", "empty"])
def test_file_that_the_integrations_own_function_cannot_load_is_told(tmp_path, held, told):
    path = tmp_path / "weights" / "net.onnx"
    path.parent.mkdir()
    path.write_bytes(held)
    errors = [RuntimeError(f"Load model from {path} failed:Protobuf parsing failed."), OSError("weights/net.onnx: bad")]

    for error in errors:
        assert str(broken_file(error, tmp_path)).startswith(f"{path} {told}")
    # h5py does not say which file it was.
    nameless = OSError("Unable to open file\n (file signature not found)")
    assert broken_file(
        nameless, tmp_path
    ) == f"{broken_file(errors[0], tmp_path)} (It fails with: Unable to open file" + (" (file signature not found))")


def test_failure_that_no_file_is_to_blame_for_is_left_alone(tiny_file):
    (tiny_file.parent / "site-packages").mkdir()
    (tiny_file.parent / "site-packages" / "other.onnx").write_bytes(POINTER)
    (tiny_file.parent / ".git").mkdir()
    (tiny_file.parent / ".git" / "other.onnx").write_bytes(POINTER)

    assert broken_file(ValueError(f"{tiny_file} has no input"), tiny_file.parent) is None


def test_options_of_a_provider_are_taken_over(tiny_file):
    session = onnxruntime.InferenceSession(tiny_file, providers=[("CPUExecutionProvider", {"use_arena": "0"})])
    given = []
    made = onnxruntime.InferenceSession

    def record(model, options, providers) -> Any:
        given.append(providers)
        return made(model, options, providers=["CPUExecutionProvider"])

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(onnxruntime, "InferenceSession", record)
        patched.setattr(session, "get_providers", lambda: ["Some", "CPUExecutionProvider"])
        patched.setattr(session, "get_provider_options", lambda: {"Some": {"device": "1"}, "CPUExecutionProvider": {}})
        load_predictor(session)

    assert given == [[("Some", {"device": "1"}), "CPUExecutionProvider"]]


def test_folder_that_is_no_saved_model_is_told(tmp_path):
    for ask in (model_source, load_predictor):
        with pytest.raises(
            LeaplabError, match=r"is a folder without saved_model.pb; name a model file, or a SavedModel"
        ):
            ask(tmp_path)


@pytest.mark.parametrize("model", [None, {"weights": 1}, object()])
def test_object_that_is_no_model_is_told_without_a_framework(model):
    before = {name for name in sys.modules if name.startswith(("keras", "tensorflow"))}

    for ask in (model_source, load_predictor):
        with pytest.raises(LeaplabError, match="neither a Keras model nor an onnxruntime session; return one of these"):
            ask(model)
    assert {name for name in sys.modules if name.startswith(("keras", "tensorflow"))} == before
