"""The integration's model: what it is, and made to run by onnxruntime, Keras or TensorFlow."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from leaplab.errors import LeaplabError
from leaplab.protocol.model import EditedModel, ModelSource, not_a_model
from leaplab.worker.model import Predictor

_KERAS_SUFFIXES = (".h5", ".keras")
_MODEL_SUFFIXES = (".onnx", ".ort", ".h5", ".hdf5", ".keras", ".pb", ".pt", ".pth", ".safetensors", ".tflite", ".data")
_NOT_THE_INTEGRATIONS = ("node_modules", "site-packages", "venv", "__pycache__")
_CHUNK = 1 << 20
_SEARCHED = 20_000
"""Files that are looked at in search of a pointer; a repository with its data may have millions."""


def model_source(model: Any) -> ModelSource:
    """Tell what a model is, without making it run.

    Args:
        model: a path of an .onnx, .h5 or .keras file or of a SavedModel's folder, an onnxruntime `InferenceSession`, a
            Keras model or layer, or what TensorFlow loads of a SavedModel.

    Returns:
        The name of the file and its SHA-256, also for a session or a layer that was made of one. A session that was
        made of bytes has theirs; a Keras model, the SHA-256 of its JSON and its weights; one that tells no graph, that
        of its weights.

    Raises:
        LeaplabError: it is none of these, its file cannot be read or holds no model, or the session does not tell its
            file.
    """
    if isinstance(model, Path):
        kind = _kind(model)
        if kind == "onnx":
            return _onnx_file(model)
        if kind == "saved_model":
            return _saved_model(model, kind)
        return ModelSource("keras", model.name, _file_sha256(model, "read as a Keras model"), str(model.absolute()))
    if _is_session(model):
        made_of = _made_of(model)
        if isinstance(made_of, Path):
            return _onnx_file(made_of)
        return ModelSource("onnx", "model.onnx", hashlib.sha256(made_of).hexdigest(), content=made_of)
    from leaplab.worker.callable_model import folder_of, is_callable_model, model_sha256
    from leaplab.worker.keras_model import has_graph, is_keras

    if has_graph(model):
        digest = hashlib.sha256(model.to_json().encode())
        for weight in model.get_weights():
            digest.update(weight.tobytes())
        return ModelSource("keras", f"{model.name}.keras", digest.hexdigest())
    if not is_callable_model(model):
        raise _no_model(model)
    folder = folder_of(model)
    if folder is not None:
        return _saved_model(folder, "keras")
    if is_keras(model, "Layer"):
        return ModelSource("keras", f"{model.name}.keras", model_sha256(model))
    return ModelSource("saved_model", "saved_model", model_sha256(model))


def load_predictor(
    model: Any,
    edited: EditedModel | None = None,
    latent: str | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    threads: int | None = None,
) -> Predictor:
    """Make a model run.

    Args:
        model: see `model_source`.
        edited: for an ONNX model, what the lab made of it; None runs it as it is, without latent vectors.
        latent: for a Keras model, name of the layer to take latent vectors from, instead of what feeds the head.
        custom_objects: for a Keras model's file, name -> class of a layer that Keras does not know.
        threads: for an ONNX model, see `OnnxPredictor`; TensorFlow's are fixed when it starts.

    Raises:
        LeaplabError: it cannot be run, or `latent` names no layer of it.
    """
    if isinstance(model, Path):
        kind = _kind(model)
        if kind == "saved_model":
            return _of_folder(model, latent)
        _require_model(model)
        if kind == "onnx":
            from leaplab.worker.onnx_model import OnnxPredictor

            return OnnxPredictor(model, edited, threads=threads)
        from leaplab.worker.keras_model import read_keras

        model = read_keras(model, custom_objects)
    if _is_session(model):
        from leaplab.worker.onnx_model import OnnxPredictor

        return OnnxPredictor(_made_of(model), edited, _own_options(model), _own_providers(model), threads)
    from leaplab.worker.callable_model import CallablePredictor, is_callable_model
    from leaplab.worker.keras_model import KerasPredictor, has_graph

    if has_graph(model):
        return KerasPredictor(model, latent)
    if not is_callable_model(model):
        raise _no_model(model)
    return CallablePredictor(model, latent)


def broken_file(error: BaseException, root: Path) -> str | None:
    """Why the integration's own function could not load its model, where a file that holds none is to blame.

    Args:
        error: what the function raised.
        root: of the integration.

    Returns:
        A sentence that names the file: one that the error names or, else, one in the integration's folder, with what
        the error says. None where there is no such file.
    """
    said = " ".join(str(error).split())
    for name in re.findall(r"[^\s'\"]+", said):
        path = Path(root, name.strip(",;:()[]"))
        if path.suffix in _MODEL_SUFFIXES and (wrong := _wrong(path)):
            return wrong
    for path in _model_files(root):
        if wrong := _wrong(path):
            return f"{wrong} (It fails with: {said})"
    return None


def _model_files(root: Path) -> Iterator[Path]:
    seen = 0
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(n for n in folders if not n.startswith(".") and n not in _NOT_THE_INTEGRATIONS)
        for name in sorted(names):
            if name.endswith(_MODEL_SUFFIXES):
                yield Path(folder, name)
        seen += len(names)
        if seen > _SEARCHED:
            return


def _wrong(path: Path) -> str | None:
    try:
        return not_a_model(path) if path.is_file() else None
    except (OSError, ValueError):
        return None


def _require_model(path: Path) -> None:
    if wrong := _wrong(path):
        raise LeaplabError(wrong)


def _no_model(model: Any) -> LeaplabError:
    return LeaplabError(
        f"The integration's model is a {type(model).__name__}, neither a Keras model nor an onnxruntime"
        " session; return one of these from tensorleap_load_model."
    )


def _kind(path: Path) -> str:
    if path.is_dir():
        from leaplab.worker.callable_model import is_saved_model

        if is_saved_model(path):
            return "saved_model"
        raise LeaplabError(f"{path} is a folder without saved_model.pb; name a model file, or a SavedModel's folder.")
    if path.suffix == ".onnx":
        return "onnx"
    if path.suffix in _KERAS_SUFFIXES:
        return "keras"
    raise LeaplabError(f"{path} is no .onnx, .h5 or .keras file; name a model of one of these formats.")


def _of_folder(path: Path, latent: str | None) -> Predictor:
    """A SavedModel: by Keras 2 where that wrote it, which then tells its graph, else by TensorFlow."""
    from leaplab.worker.callable_model import CallablePredictor
    from leaplab.worker.keras_model import KerasPredictor, has_graph, installed_keras, read_keras

    if (path / "keras_metadata.pb").is_file():
        try:
            old = str(installed_keras(path).__version__).startswith("2.")
            model = read_keras(path) if old else None
        except LeaplabError:
            model = None  # TensorFlow may run what Keras cannot read
        if model is not None and has_graph(model):
            return KerasPredictor(model, latent)
    return CallablePredictor.from_folder(path, latent)


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


def _own_providers(session: Any) -> list[Any]:
    """The providers' names, with their options where they have any."""
    options = session.get_provider_options()
    return [(name, options[name]) if options.get(name) else name for name in session.get_providers()]


def _onnx_file(path: Path) -> ModelSource:
    return ModelSource("onnx", path.name, _file_sha256(path, "run as an ONNX model"), str(path.absolute()))


def _saved_model(folder: Path, format_: Any) -> ModelSource:
    from leaplab.worker.callable_model import folder_sha256

    try:
        return ModelSource(format_, folder.name, folder_sha256(folder), str(folder.absolute()))
    except OSError as error:
        raise LeaplabError(f"{folder} cannot be read as a SavedModel: {error.strerror}.") from error


def _file_sha256(path: Path, use: str) -> str:
    _require_model(path)
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
