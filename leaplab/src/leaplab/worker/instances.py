"""Element instances of a bound integration: the parts of a sample that its masks encoder tells apart."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import LeaplabError
from leaplab.protocol.description import MetadataType
from leaplab.worker.code_loader_access import CodeLoader, SampleId
from leaplab.worker.places import told
from leaplab.worker.samples import is_absent, typed
from leaplab.worker.whereabouts import HERE


@dataclass(frozen=True)
class Instance:
    """What the masks encoder says of one element instance.

    Attributes:
        name: None where the encoder gives none.
        metadata: key -> value, None where absent; every key that is declared.
        mask: finite numbers, [H, W] or in the shape of an input with its channels; what is not 0 belongs to the
            instance.
    """

    name: str | None
    metadata: dict[str, Any]
    mask: NDArray[Any]

    @cached_property
    def nonzero(self) -> NDArray[np.bool_]:
        """Which of the mask's values are not 0; reading a whole mask costs most of what is done with it."""
        nonzero: NDArray[np.bool_] = self.mask != 0
        return nonzero

    @property
    def mask_share(self) -> float:
        """Share of the mask's values that are not 0, in [0, 1]."""
        return float(np.count_nonzero(self.nonzero) / self.mask.size)


class InstanceReader:
    """Reads the instances of samples.

    Args:
        code_loader: that has bound the integration.
        encoder: code-loader's handler of the masks, see `masks_encoder`.
        types: key of the instances' metadata -> its type.
        root: of the integration, for the place of an error.
    """

    def __init__(self, code_loader: CodeLoader, encoder: Any, types: Mapping[str, MetadataType], root: Path) -> None:
        self._encoder = encoder
        self._types = types
        self._root = root
        self._responses = code_loader.responses

    def read(self, state: str, sample_id: SampleId, count: int) -> Iterator[Instance | None]:
        """Instances 0 to `count` - 1 of a sample, one after the other; None for one of which the encoder returns None.

        Raises:
            LeaplabError: the encoder raised, or returned a mask or metadata that are not as declared; names the
                encoder, the sample, the instance's number, the place and the error.
        """
        for number in range(count):
            yield self._read_one(state, sample_id, number)

    def _read_one(self, state: str, sample_id: SampleId, number: int) -> Instance | None:
        about = ""
        HERE.note(f"instance masks '{self._encoder.name}'")
        try:
            found = self._encoder.function(sample_id, self._responses[state], number)
            if found is None:
                return None
            metadata: dict[str, Any] = dict.fromkeys(self._types)
            for key, value in (found.instance_metadata or {}).items():
                about = f"metadata '{key}': "
                if not is_absent(value):
                    metadata[key] = typed(value, self._declared(key))
            about = ""
            name = None if found.name is None else str(found.name)
            return Instance(name, metadata, _checked(found.mask))
        except (Exception, SystemExit) as error:  # whatever the integration's code raises is shown as a sentence
            where = f"Instance masks '{self._encoder.name}' on instance {number} of sample '{sample_id}' of {state}"
            sentence = str(error) if isinstance(error, LeaplabError) else told(error, self._root)
            raise LeaplabError(f"{where}: {about}{sentence}") from error

    def _declared(self, key: str) -> MetadataType:
        if key not in self._types:
            raise LeaplabError(
                "the first instance has no such key; return the same keys, or declare them by instance_metadata_types."
            )
        return self._types[key]


def masks_encoder(handlers: Sequence[Any], given: str | None) -> Any:
    """The handler whose instances are read: the one that the preprocess decorator was given.

    code-loader runs all of them and gathers a dictionary, but its metadata are those of this one. Where it cannot be
    told (`given` is None: the decorator was given a function of another name), it is the first.
    """
    return next((handler for handler in handlers if handler.name == given), handlers[0])


def _checked(mask: Any) -> NDArray[Any]:
    array = np.asarray(mask)
    wanted = "return finite numbers in the shape of the input, or of its height and width."
    if array.ndim not in (2, 3) or array.size == 0 or array.dtype.kind not in "biuf":
        raise LeaplabError(f"its mask is {array.dtype} of shape {array.shape}; {wanted}")
    if not np.isfinite(array).all():
        raise LeaplabError(f"its mask holds NaN or infinity; {wanted}")
    return array
