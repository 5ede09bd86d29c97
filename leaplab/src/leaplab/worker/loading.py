"""Make a model run, by onnxruntime or Keras."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from leaplab.errors import LeaplabError
from leaplab.worker.model import Predictor


def load_predictor(model: Any, latent: str | None = None) -> Predictor:
    """Make a model run.

    Args:
        model: a path of an .onnx, .h5 or .keras file, an onnxruntime `InferenceSession` or a Keras model.
        latent: name of the tensor (ONNX) or layer (Keras) to take latent vectors from, instead of what feeds the head.

    Raises:
        LeaplabError: the file cannot be read as a model, or `latent` names nothing in it.
    """
    if isinstance(model, Path):
        if model.suffix == ".onnx":
            from leaplab.worker.onnx_model import OnnxPredictor

            return OnnxPredictor.from_file(model, latent)
        if model.suffix in (".h5", ".keras"):
            from leaplab.worker.keras_model import KerasPredictor

            return KerasPredictor.from_file(model, latent)
        raise LeaplabError(f"{model} is no .onnx, .h5 or .keras file; name a model of one of these formats.")
    if type(model).__module__.startswith("onnxruntime"):
        from leaplab.worker.onnx_model import OnnxPredictor

        return OnnxPredictor.from_session(model, latent)
    from leaplab.worker.keras_model import KerasPredictor

    return KerasPredictor(model, latent)


@lru_cache(maxsize=1)
def predictor_of(integration: Any, latent: str | None) -> Predictor:
    """The integration's model, made to run once a process. See `load_predictor`."""
    return load_predictor(integration.model, latent)
