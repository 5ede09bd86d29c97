"""An integration to bind, and what binding it told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class BindOrder:
    """An integration to bind.

    Attributes:
        root: its folder, absolute.
        entry_file: relative to the root.
        model: an absolute path of a model to use instead of the integration's own.
        wiring: for an integration without an integration test, see `WiringOrder`.
        memory: bytes that its process may take; None lets it take all.
        inference_threads: that its model may use, where the integration says nothing of it itself; None leaves it to
            the model's format: all cores but one for ONNX, what TensorFlow takes for others.
    """

    root: str
    entry_file: str
    model: str | None = None
    wiring: WiringOrder | None = None
    memory: int | None = None
    inference_threads: int | None = None


@dataclass(frozen=True)
class WiringOrder:
    """A wiring that a person wrote, as the file has it; the worker knows what its names stand for.

    Attributes:
        path: of the file, for sentences.
        content: of the file: sections -> handlers -> arguments -> sources.
    """

    path: str
    content: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Bound:
    """An integration is bound.

    Attributes:
        notices: what leaplab leaves out of it, a sentence each.
        code_loader: the version of code-loader that bound it.
    """

    notices: tuple[str, ...] = ()
    code_loader: str = ""
