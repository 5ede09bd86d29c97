"""A model on its way between the worker, which runs it, and the lab, which reads and edits its graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LATENT_SPACE = "model"
"""Name of the latent space that feeds the model's head."""


@dataclass(frozen=True)
class ModelSource:
    """What the integration's model is.

    Attributes:
        format: of the model.
        name: file name, for a person and for the run's name.
        sha256: of the file's content, or of what stands for it.
        path: absolute, where it was made of a file.
        content: its bytes, where an onnxruntime session was made of bytes.
    """

    format: Literal["onnx", "keras"]
    name: str
    sha256: str
    path: str | None = None
    content: bytes | None = None


@dataclass(frozen=True)
class EditedModel:
    """An ONNX model whose latent tensors were added to its outputs.

    Attributes:
        path: of the edited file, absolute.
        outputs: number of the outputs that the model had before.
        features: (tensor, channel axis) of each that feeds the head, in the order of the latent vector.
    """

    path: str
    outputs: int
    features: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class LoadOrder:
    """A model to make run.

    Attributes:
        edited: what the lab made of an ONNX model; None runs it as it is, without latent vectors.
        latent: for a Keras model, the layer to take latent vectors from; None finds what feeds the head.
    """

    edited: EditedModel | None = None
    latent: str | None = None


@dataclass(frozen=True)
class LoadedModel:
    """A model that runs.

    Attributes:
        latent_source: what feeds the head, by the model's own names; empty where it gives no latent vectors.
    """

    latent_source: str
