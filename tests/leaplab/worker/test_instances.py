"""Element instances as a masks encoder tells them."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from code_loader.contract.datasetclasses import ElementInstance, PreprocessResponse
from code_loader.contract.enums import DataStateType

from leaplab.errors import LeaplabError
from leaplab.worker.instances import Instance, InstanceReader, masks_encoder

MASK = np.array([[0, 2, 0, 0], [0, 0.5, -1, 0]], np.float32)
TYPES: Any = {"row": "int", "weight": "float", "kind": "string", "torn": "boolean"}


def read(found, types=TYPES) -> list[Instance | None]:
    """The three instances of sample 'a_1', of which the second is `found`, or what it returns."""
    given = PreprocessResponse(sample_ids=["a_1"], data=None, state=DataStateType.training)

    def encode(sample_id, response, number) -> Any:
        assert (sample_id, response) == ("a_1", given)
        if number != 1:
            return ElementInstance(f"number {number}", MASK)
        return found() if callable(found) else found

    code_loader: Any = SimpleNamespace(responses={"training": given})
    encoder = SimpleNamespace(name="masks", function=encode)
    return list(InstanceReader(code_loader, encoder, types, Path(__file__).parent).read("training", "a_1", 3))


def instance(metadata=None, mask=MASK) -> ElementInstance:
    return ElementInstance("nut", mask, metadata)


def test_instances_come_by_their_numbers_with_every_declared_key():
    first, second, third = read(instance({"row": 1.0, "weight": 2, "kind": 7, "torn": np.bool_(True)}))

    assert second is not None
    assert (second.name, second.metadata) == ("nut", {"row": 1, "weight": 2.0, "kind": "7", "torn": True})
    assert [type(value) for value in second.metadata.values()] == [int, float, str, bool]
    assert first is not None
    assert third is not None
    assert (first.name, third.name) == ("number 0", "number 2")
    assert first.metadata == dict.fromkeys(TYPES)


def test_absent_values_and_keys_are_none():
    (_, found, _) = read(instance({"weight": float("nan"), "kind": None, "later": None}))

    assert found is not None
    assert found.metadata == dict.fromkeys(TYPES)


def test_instance_of_which_the_encoder_returns_none_is_none():
    assert read(None)[1] is None


@pytest.mark.parametrize(
    ("mask", "share"),
    [
        (MASK, 3 / 8),
        (np.zeros((2, 2), np.float32), 0.0),
        (np.ones((3, 1), bool), 1.0),
        (np.array([[0, 255]], np.uint8), 0.5),
        ([[0, 1], [0, 0]], 0.25),
        (np.repeat(MASK[..., np.newaxis], 3, axis=-1), 3 / 8),  # in the shape of an image
        (np.repeat(MASK[np.newaxis], 3, axis=0), 3 / 8),
    ],
)
def test_share_of_a_mask_counts_what_is_not_zero(mask, share):
    (_, found, _) = read(instance(mask=mask))

    assert found is not None
    assert found.mask_share == share


@pytest.mark.parametrize(
    ("mask", "told"),
    [
        (np.zeros((4, 4, 1, 1), np.float32), "its mask is float32 of shape (4, 4, 1, 1); return finite numbers"),
        (np.zeros(4, np.float32), "its mask is float32 of shape (4,)"),
        (np.zeros((0, 4), np.float32), "its mask is float32 of shape (0, 4)"),
        (np.array([["a"]]), "its mask is <U1 of shape (1, 1)"),
        (np.array([[1j]]), "its mask is complex128"),
        (None, "its mask is object of shape ()"),
        (np.array([[0, np.nan]]), "its mask holds NaN or infinity; return finite numbers in the shape"),
        (np.array([[-np.inf, 1]]), "its mask holds NaN or infinity"),
    ],
)
def test_mask_that_is_none_is_told(mask, told):
    prefix = f"Instance masks 'masks' on instance 1 of sample 'a_1' of training: {told}"
    with pytest.raises(LeaplabError, match=f"^{re.escape(prefix)}"):
        read(instance(mask=mask))


@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        ({"row": 1.5}, "metadata 'row': it is declared int but returned 1.5; declare it float."),
        ({"row": 1, "weight": [1.0]}, "metadata 'weight': TypeError: float()"),
        (
            {"row": 1, "late": 2},
            "metadata 'late': the first instance has no such key; return the same keys, or declare them by"
            " instance_metadata_types.",
        ),
    ],
)
def test_metadata_against_their_declaration_are_told(metadata, told):
    prefix = f"Instance masks 'masks' on instance 1 of sample 'a_1' of training: {told}"
    with pytest.raises(LeaplabError, match=f"^{re.escape(prefix)}"):
        read(instance(metadata))


def test_failure_names_encoder_instance_sample_and_line():
    def broken() -> None:
        raise KeyError("gone")

    with pytest.raises(LeaplabError) as caught:
        read(broken)

    assert re.fullmatch(
        r"Instance masks 'masks' on instance 1 of sample 'a_1' of training: KeyError: 'gone'"
        r" \(test_instances.py, line \d+, in broken\)",
        str(caught.value),
    )


def test_encoder_is_that_of_the_preprocess_or_the_first():
    first, second = SimpleNamespace(name="all"), SimpleNamespace(name="masks")

    assert masks_encoder([first, second], "masks") is second
    assert masks_encoder([first, second], None) is masks_encoder([first, second], "other") is first
