"""The integration's model: what it is, and made to run by onnxruntime or Keras."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from leaplab.errors import LeaplabError
from leaplab.protocol.model import EditedModel, ModelSource
from leaplab.worker.model import Predictor

_KERAS_SUFFIXES = (".h5", ".keras")
_CHUNK = 1 << 20


def model_source(model: Any) -> ModelSource:
    """Tell what a model is, without making it run.

    Args:
        model: a path of an .onnx, .h5 or .keras file, an onnxruntime `InferenceSession` or a Keras model.

    Returns:
        The name of the file and its SHA-256, also for a session that was made of one. A session that was made of bytes
        has theirs; a Keras model, the SHA-256 of its JSON and its weights.

    Raises:
        LeaplabError: it is none of these, its file cannot be read, or the session does not tell its file.
    """
    if isinstance(model, Path):
        if _is_onnx(model):
            return _onnx_file(model)
        return ModelSource("keras", model.name, _file_sha256(model, "read as a Keras model"), str(model.absolute()))
    if _is_session(model):
        made_of = _made_of(model)
        if isinstance(made_of, Path):
            return _onnx_file(made_of)
        return ModelSource("onnx", "model.onnx", hashlib.sha256(made_of).hexdigest(), content=made_of)
    from leaplab.worker.keras_model import model_class

    model_class(model)
    digest = hashlib.sha256(model.to_json().encode())
    for weight in model.get_weights():
        digest.update(weight.tobytes())
    return ModelSource("keras", f"{model.name}.keras", digest.hexdigest())


def load_predictor(model: Any, edited: EditedModel | None = None, latent: str | None = None) -> Predictor:
    """Make a model run.

    Args:
        model: see `model_source`.
        edited: for an ONNX model, what the lab made of it; None runs it as it is, without latent vectors.
        latent: for a Keras model, name of the layer to take latent vectors from, instead of what feeds the head.

    Raises:
        LeaplabError: it cannot be run, or `latent` names no layer of it.
    """
    if isinstance(model, Path):
        if _is_onnx(model):
            from leaplab.worker.onnx_model import OnnxPredictor

            return OnnxPredictor(model, edited)
        from leaplab.worker.keras_model import KerasPredictor

        return KerasPredictor.from_file(model, latent)
    if _is_session(model):
        from leaplab.worker.onnx_model import OnnxPredictor

        return OnnxPredictor(_made_of(model), edited, _own_options(model), model.get_providers())
    from leaplab.worker.keras_model import KerasPredictor

    return KerasPredictor(model, latent)


def _is_onnx(path: Path) -> bool:
    if path.suffix == ".onnx":
        return True
    if path.suffix in _KERAS_SUFFIXES:
        return False
    raise LeaplabError(f"{path} is no .onnx, .h5 or .keras file; name a model of one of these formats.")


def _is_session(model: Any) -> bool:
    return any(base.__module__.partition(".")[0] == "onnxruntime" for base in type(model).__mro__)


def _made_of(session: Any) -> Path | bytes:
    path, content = getattr(session, "_model_path", None), getattr(session, "_model_bytes", None)
    if path:
        return Path(os.fsdecode(path))
    if content:
        return bytes(content)
    raise LeaplabError("The integration's onnxruntime session does not tell its file; name it by --model FILE.")


def _own_options(session: Any) -> Any:
    # Once a session is made, `_sess_options` and `get_session_options()` are never None: where it was given none, they
    # are onnxruntime's.
    if hasattr(session, "_sess_options_initial"):
        return session._sess_options_initial
    return getattr(session, "_sess_options", None)


def _onnx_file(path: Path) -> ModelSource:
    return ModelSource("onnx", path.name, _file_sha256(path, "run as an ONNX model"), str(path.absolute()))


def _file_sha256(path: Path, use: str) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while True:
                chunk = file.read(_CHUNK)
                if not chunk:
                    return digest.hexdigest()
                digest.update(chunk)
    except OSError as error:
        raise LeaplabError(f"{path} cannot be {use}: {error.strerror}.") from error
