"""Models that run but tell no graph: subclassed Keras models, layers such as TFSMLayer, SavedModels of TensorFlow.

They give no latent vectors. Importing this module imports neither Keras nor TensorFlow.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Iterable, Iterator

import numpy as np

from leaplab.errors import LeaplabError
from leaplab.protocol.model import without_latent
from leaplab.worker.keras_model import is_keras
from leaplab.worker.model import Array, Feature, Predictor

DEFAULT_SIGNATURE = "serving_default"
"""What TensorFlow calls the signature for inference."""
_CHUNK = 1 << 20
_NUMBER = re.compile(r"\d+")


class CallablePredictor(Predictor):
    """Runs a model by calling it. See `leaplab.worker.model.Predictor`.

    A dictionary that it returns is taken in its own order, or by name where it comes of a SavedModel, in which it has
    none.

    Args:
        model: see `is_callable_model`.
        latent: is refused: there is no layer to name.

    Raises:
        LeaplabError: it has no weights yet, several signatures of which none is the usual one, or `latent` is given.
    """

    latent_source = ""
    unbatched: frozenset[int] = frozenset()

    def __init__(self, model: Any, latent: str | None = None) -> None:
        what = _named(model)
        if latent is not None:
            raise LeaplabError(f"{what} tells no graph, so that --latent can name no layer of it; leave it out.")
        self.format = "keras" if is_keras(model, "Layer") else "saved_model"
        self.notices: tuple[str, ...] = (
            without_latent(f"{what[0].lower()}{what[1:]} tells no graph (--latent cannot help)"),
        )
        # For a mapping file of an older integration, which asks what the model calls its ends.
        self._model, self._outputs = model, None
        _require_weights(model)
        self._endpoint = _endpoint(model)
        self.notices += self._endpoint.notices
        first = self._endpoint.inputs[0].shape if self._endpoint.inputs else None
        batch = first[0] if first is not None and first.rank else None
        self.fixed_batch = batch if isinstance(batch, int) else None

    @classmethod
    def from_folder(cls, path: Path, latent: str | None = None) -> CallablePredictor:
        """Read a SavedModel's folder.

        Raises:
            LeaplabError: it is none, or there is no TensorFlow to read it.
        """
        try:
            import tensorflow
        except ModuleNotFoundError as error:
            if error.name != "tensorflow":
                raise
            raise LeaplabError(
                f"{path} needs TensorFlow, which is not installed where the integration runs; install it there."
            ) from error
        try:
            model = tensorflow.saved_model.load(str(path))
        except Exception as error:  # TensorFlow raises many types here
            raise LeaplabError(f"{path} cannot be read as a SavedModel: {' '.join(str(error).split())}") from error
        return cls(model, latent)

    def run(self, inputs: Sequence[Array]) -> tuple[list[Array], list[Feature]]:
        specs = self._endpoint.inputs
        if specs and len(specs) != len(inputs):
            raise LeaplabError(
                f"The model takes {len(specs)} inputs ({', '.join(spec.name for spec in specs)}), but the integration"
                f" feeds it {len(inputs)}; correct the integration test or --model."
            )
        given = [array.astype(spec.dtype.as_numpy_dtype) for array, spec in zip(inputs, specs)] or list(inputs)
        try:
            return [np.asarray(array) for array in self._endpoint.outputs(given)], []
        except Exception as error:  # whatever the model's own code raises is shown as a sentence
            shapes = ", ".join(f"{array.shape}" for array in inputs)
            raise LeaplabError(f"The model fails on {shapes}: {' '.join(str(error).split())}") from error


def is_callable_model(model: Any) -> bool:
    """Whether a model is a Keras model or layer, or of TensorFlow: a loaded SavedModel, a module or a function."""
    if isinstance(model, type):
        return False
    if is_keras(model, "Model") or is_keras(model, "Layer"):
        return True
    return _is_of_tensorflow(model) and (callable(model) or bool(getattr(model, "signatures", None)))


def is_saved_model(path: Path) -> bool:
    """Whether a folder is a SavedModel."""
    return any((path / name).is_file() for name in ("saved_model.pb", "saved_model.pbtxt"))


def folder_of(model: Any) -> Path | None:
    """The SavedModel's folder that a TFSMLayer was made of; None for any other model."""
    path = getattr(model, "filepath", None) if is_keras(model, "TFSMLayer") else None
    return None if path is None else Path(path)


def folder_sha256(folder: Path) -> str:
    """SHA-256 of the names and contents of all files below a folder.

    Raises:
        OSError: one cannot be read.
    """
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder).as_posix()}\n{path.stat().st_size}\n".encode())
        with path.open("rb") as file:
            for chunk in iter(lambda: file.read(_CHUNK), b""):
                digest.update(chunk)
    return digest.hexdigest()


def model_sha256(model: Any) -> str:
    """SHA-256 of a model's class and weights, and of its functions' graphs where it has them.

    Raises:
        LeaplabError: it has no weights yet, or none any more.
    """
    _require_weights(model)
    digest = hashlib.sha256(f"{type(model).__module__}.{type(model).__qualname__}".encode())
    if is_keras(model, "Layer"):
        weights = model.get_weights()
    else:
        function = _concrete(_signature(model))
        graph = getattr(function, "graph", None)
        if graph is not None:
            digest.update(_graph_sha256(graph.as_graph_def()))
        try:
            variables = getattr(function, "variables", None) or getattr(model, "variables", None) or ()
            weights = [variable.numpy() for variable in variables]
        except AssertionError as error:  # TensorFlow's, where nothing keeps the variables of a function
            raise LeaplabError(
                "The integration's model is a function of a SavedModel that is gone; return what tf.saved_model.load"
                " gives, which keeps it."
            ) from error
    for weight in weights:
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()


def _graph_sha256(definition: Any) -> bytes:
    """Of what a graph and the functions that it calls compute, not of the names that a process gives to these."""
    bodies = [definition.node, *(function.node_def for function in definition.library.function)]
    digests = []
    for nodes in bodies:
        digest = hashlib.sha256()
        for node in nodes:
            digest.update(f"{node.op} {_NUMBER.sub('', node.name)}".encode())
            for name in sorted(name for name in node.attr if not name.startswith("_")):
                value = node.attr[name]
                called = _NUMBER.sub("", value.func.name).encode() if value.HasField("func") else None
                digest.update(value.SerializeToString(deterministic=True) if called is None else called)
        digests.append(digest.digest())
    return hashlib.sha256(b"".join(sorted(digests))).digest()


def _named(model: Any) -> str:
    if is_keras(model, "Model"):
        return f"The subclassed Keras model '{model.name}'"
    if is_keras(model, "Layer"):
        return f"The Keras layer '{model.name}' ({type(model).__name__})"
    return "The SavedModel" if getattr(model, "signatures", None) else f"The model, a {type(model).__name__},"


def _require_weights(model: Any) -> None:
    """A subclassed model has its weights once it was called; before, they would be drawn at random."""
    if not is_keras(model, "Model") or getattr(model, "built", False):
        return
    try:
        if model.weights:
            return
    except ValueError:  # Keras 2 refuses to tell before there are any
        pass
    raise LeaplabError(f"The Keras model '{model.name}' is not built; save it after it was called once.")


@dataclass
class _Endpoint:
    """How a model is run.

    Attributes:
        call: of the inputs, in the model's order.
        inputs: what it tells of each (a TensorSpec), in that order; empty where it does not tell.
        names: what a saved function calls its outputs, where it has names for them.
        notices: a sentence for each order that is not the model's own.
    """

    call: Callable[[list[Array]], Any]
    inputs: list[Any] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    notices: tuple[str, ...] = ()

    def outputs(self, given: list[Array]) -> list[Any]:
        """The outputs, in the order of their names where a saved function names them."""
        result = self.call(given)
        if isinstance(result, dict) and self.names:
            result = [result[name] for name in sorted(result, key=_by_name)]
        return list(_flat(result))


def _endpoint(model: Any) -> _Endpoint:
    if is_keras(model, "Model"):
        return _Endpoint(_KerasCall(model))
    if is_keras(model, "Layer"):
        inputs, names, notices = _told(getattr(model, "call_endpoint_fn", None))
        return _Endpoint(lambda given: model(given if len(given) > 1 else given[0]), inputs, names, notices)
    function = _signature(model)
    inputs, names, notices = _told(function)
    named = _named_inputs(function)
    if named:
        if len(named) > 1:
            notices += (_ordered("inputs", named),)
        return _Endpoint(
            lambda given: function(**{name: _tensor(array) for name, array in zip(named, given)}),
            list(named.values()),
            names,
            notices,
        )
    structure = _structure(function)
    # Keras exports a function of one argument, a list where the model has several inputs.
    takes_list = structure is not None and len(structure[0]) == 1 and isinstance(structure[0][0], (list, tuple))
    if takes_list:
        return _Endpoint(lambda given: function([*map(_tensor, given)]), inputs, names, notices)
    return _Endpoint(lambda given: function(*map(_tensor, given)), inputs, names, notices)


class _KerasCall:
    """A Keras model as a function: compiled, or called as it is where its own code cannot be compiled."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._compiles = True

    def __call__(self, given: list[Array]) -> Any:
        taken = given if len(given) > 1 else given[0]
        if not self._compiles:
            return self._model(taken, training=False)
        try:
            return self._model.predict_on_batch(taken)
        except Exception:
            result = self._model(taken, training=False)
            self._compiles = False
            return result


def _signature(model: Any) -> Any:
    """The function of a model that infers: the model itself where it has neither signatures nor what Keras exports."""
    exported = getattr(model, "serve", None)
    if getattr(exported, "concrete_functions", None):
        return exported  # a signature has lost the order of inputs and outputs, this has not
    signatures = getattr(model, "signatures", None)
    if not signatures:
        return model
    if DEFAULT_SIGNATURE not in signatures and len(signatures) > 1:
        raise LeaplabError(
            f"The SavedModel has the signatures {', '.join(sorted(signatures))}, and none is called"
            f" {DEFAULT_SIGNATURE}; export it with one of that name."
        )
    return signatures[DEFAULT_SIGNATURE if DEFAULT_SIGNATURE in signatures else next(iter(signatures))]


def _concrete(function: Any) -> Any:
    return next(iter(getattr(function, "concrete_functions", None) or ()), function)


def _structure(function: Any) -> Any:
    """(positional, named) TensorSpecs of a function of TensorFlow; None where it takes any."""
    structure = getattr(_concrete(function), "structured_input_signature", None)
    called = function.__call__ if callable(function) else None  # of a module, where it is decorated
    declared = getattr(function, "input_signature", None) or getattr(called, "input_signature", None)
    return (tuple(declared), {}) if structure is None and declared else structure


def _told(function: Any) -> tuple[list[Any], list[str], tuple[str, ...]]:
    """What a saved function tells: of its inputs, the names of its outputs, and what is to be said of these."""
    structure = _structure(function)
    inputs = [each for each in _flat(structure or ()) if hasattr(each, "shape") and hasattr(each, "dtype")]
    outputs = getattr(_concrete(function), "structured_outputs", None)
    # As it was saved, a dictionary has no order: that of its names comes from hashes, and changes with the process.
    names = sorted(outputs, key=_by_name) if isinstance(outputs, dict) and structure is not None else []
    return inputs, names, (_ordered("outputs", names),) if len(names) > 1 else ()


def _named_inputs(function: Any) -> dict[str, Any]:
    """Name -> what a signature tells of each input, in the order of the names; empty for a function of positions."""
    structure = _structure(function)
    if structure is None or structure[0] or not structure[1]:
        return {}
    return {name: structure[1][name] for name in sorted(structure[1], key=_by_name)}


def _ordered(what: str, names: Iterable[str]) -> str:
    return f"The SavedModel names its {what}, and leaplab takes them in the order of these names: {', '.join(names)}."


def _by_name(name: str) -> list[tuple[int, str]]:
    """A key that sorts `output_10` behind `output_2`."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _tensor(array: Array) -> Any:
    import tensorflow

    return tensorflow.convert_to_tensor(array)


def _flat(structure: Any) -> Iterator[Any]:
    if isinstance(structure, dict):
        structure = list(structure.values())
    if isinstance(structure, (list, tuple)):
        for inner in structure:
            yield from _flat(inner)
    else:
        yield structure


def _is_of_tensorflow(model: Any) -> bool:
    return any(base.__module__.partition(".")[0] == "tensorflow" for base in type(model).__mro__)
