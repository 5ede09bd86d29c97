"""A model on its way between the worker, which runs it, and the lab, which reads and edits its graph."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Sequence

LATENT_SPACE = "model"
"""Name of the latent space that feeds the model's head."""


@dataclass(frozen=True)
class ModelSource:
    """What the integration's model is.

    Attributes:
        format: of the model; `saved_model` is TensorFlow's.
        name: file name, for a person and for the run's name.
        sha256: of the file's content, or of what stands for it.
        path: absolute, where it was made of a file or of a SavedModel's folder.
        content: its bytes, where an onnxruntime session was made of bytes.
    """

    format: Literal["onnx", "keras", "saved_model"]
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
        candidates: where there are no features, tensors near the outputs that a person may name instead.
    """

    path: str
    outputs: int
    features: tuple[tuple[str, int], ...]
    candidates: tuple[str, ...] = ()


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
        notices: what a person should know of a run with it, a sentence each.
    """

    latent_source: str
    notices: tuple[str, ...] = ()


def without_latent(reason: str, candidates: Sequence[str] = ()) -> str:
    """The sentence that says that a run has no latent space.

    Args:
        reason: why there is none.
        candidates: what to take it from instead, as `--latent` takes it, nearest to the outputs first.
    """
    named = f"; name what to take it from by --latent: near the outputs lie {', '.join(candidates)}"
    return f"The run has no latent space, because {reason}{named if candidates else ''}."


def not_a_model(path: Path) -> str | None:
    """Why a file holds no model of any kind, as a sentence: it is empty, a pointer of Git LFS, or a web page.

    Returns:
        None where it may hold one.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(512)
    if not head:
        return f"{path} is empty; download or export the model again."
    if head.startswith(b"version https://git-lfs"):
        return f"{path} is a pointer of Git LFS, not the model itself; run `git lfs pull` in its repository."
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype html", b"<html")):
        return f"{path} is a web page, not a model; download the model again, from its direct address."
    return None
