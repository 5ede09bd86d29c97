"""What an integration gives to code-loader's decorators, and `LeapLoader` does not hand out."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Recorded:
    """What was given while an integration was bound.

    Attributes:
        model_functions: what `tensorleap_load_model` decorates.
        masks_encoder: name of the masks encoder that `tensorleap_element_instance_preprocess` was given; None where
            it was given none that is decorated.
    """

    model_functions: list[Callable[[], Any]] = field(default_factory=list)
    masks_encoder: str | None = None


@contextmanager
def recorded(decorators: Any) -> Iterator[Recorded]:
    """Remember what code-loader's module of decorators is given while the block lasts."""
    found = Recorded()
    named: list[tuple[Any, str]] = []
    load_model = decorators.tensorleap_load_model
    masks_encoder = decorators.tensorleap_instances_masks_encoder
    preprocess = decorators.tensorleap_element_instance_preprocess

    def recording_load_model(*args: Any, **kwargs: Any) -> Any:
        decorate = load_model(*args, **kwargs)

        def remember(function: Callable[[], Any]) -> Any:
            found.model_functions.append(function)
            return decorate(function)

        return remember

    def recording_masks_encoder(name: str) -> Any:
        decorate = masks_encoder(name)

        def remember(function: Any) -> Any:
            decorated = decorate(function)
            named.append((decorated, name))
            return decorated

        return remember

    def recording_preprocess(*args: Any, **kwargs: Any) -> Any:
        given = inspect.signature(preprocess).bind(*args, **kwargs).arguments.get("instance_mask_encoder")
        found.masks_encoder = next((name for decorated, name in named if decorated is given), None)
        return preprocess(*args, **kwargs)

    decorators.tensorleap_load_model = recording_load_model
    decorators.tensorleap_instances_masks_encoder = recording_masks_encoder
    decorators.tensorleap_element_instance_preprocess = recording_preprocess
    try:
        yield found
    finally:
        decorators.tensorleap_load_model = load_model
        decorators.tensorleap_instances_masks_encoder = masks_encoder
        decorators.tensorleap_element_instance_preprocess = preprocess
