"""Samples as handlers tell them: ids in groups, element instances, absent and mistyped metadata."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from code_loader.contract.datasetclasses import PreprocessResponse
from code_loader.contract.enums import DataStateEnum, DataStateType

from leaplab.errors import LeaplabError
from leaplab.worker.code_loader_access import CodeLoader
from leaplab.worker.samples import Sample, SampleReader, sample_ids_by_state

FLAT = ["a", "a_1", "b"]
GROUPS = [["a", "b"], ["c"]]


class Loader(CodeLoader):
    """code-loader that has bound these responses; it is its own `LeapLoader`, as far as a reader asks for one."""

    def __init__(self, latents=None, **responses) -> None:
        self.loader = self
        self.version = "of these tests"
        self.found: Any = SimpleNamespace()
        self._responses = {DataStateEnum[state]: response for state, response in responses.items()}
        self._latents = latents

    @property
    def handlers(self) -> Any:
        return self.found

    def _preprocess_result(self) -> Any:
        return self._responses

    def get_preprocess_sample_ids(self) -> Any:
        return {state: response.sample_ids for state, response in self._responses.items()}

    def get_instances_data(self, state) -> Any:
        response = self._responses[state]
        return response.sample_ids_to_instance_mappings, response.instance_to_sample_ids_mappings

    def _get_custom_latent_spaces(self, sample_id, response, instance_id) -> Any:
        return self._latents(sample_id)


def response(ids, state=DataStateType.training) -> PreprocessResponse:
    return PreprocessResponse(sample_ids=ids, data=None, state=state)


def handlers(**functions) -> Any:
    return [SimpleNamespace(name=name, function=function) for name, function in functions.items()]


def reader(loader, types=None, inputs=(), ground_truths=(), metadata=(), latents=()) -> SampleReader:
    loader.found = SimpleNamespace(
        inputs=inputs, ground_truths=ground_truths, metadata=metadata, custom_latent_spaces=latents
    )
    return SampleReader(loader, types or {}, Path(__file__).parent)


def read_metadata(declared, value) -> Any:
    """The value of a metadata function `m` that is declared so."""
    read = reader(Loader(training=response(FLAT)), {"m": declared}, metadata=handlers(m=lambda *_: value))
    return read.read("training", "a").metadata["m"]


def test_groups_are_flattened_in_their_order():
    ids = sample_ids_by_state(Loader(training=response(GROUPS), validation=response([["d"], ["e", "f"]])))

    assert ids == {"training": ["a", "b", "c"], "validation": ["d", "e", "f"]}


def with_instances(state=DataStateType.training, **counts) -> PreprocessResponse:
    """A response as `tensorleap_element_instance_preprocess` makes it: sample id -> number of instances."""
    made = response(list(counts), state)
    made.sample_ids_to_instance_mappings = {
        sample_id: [f"{sample_id}_{n}" for n in range(count)] for sample_id, count in counts.items()
    }
    made.instance_to_sample_ids_mappings = {
        instance: sample_id for sample_id, found in made.sample_ids_to_instance_mappings.items() for instance in found
    }
    made.sample_ids += made.instance_to_sample_ids_mappings
    return made


def test_element_instances_are_no_samples_and_samples_named_like_them_are():
    mixed, none = with_instances(a=1, a_1=0, b=2), with_instances(c=0)

    ids = sample_ids_by_state(Loader(training=mixed, validation=none, test=response(["d", "d_0"])))

    assert ids == {"training": ["a", "a_1", "b"], "validation": ["c"], "test": ["d", "d_0"]}


def test_sample_whose_id_is_that_of_an_instance_is_a_sample_still():
    shared = with_instances(a=3, a_1=1, a_0=0, b=2)
    assert shared.sample_ids.count("a_1") == shared.sample_ids.count("a_0") == 2

    assert sample_ids_by_state(Loader(training=shared)) == {"training": ["a", "a_1", "a_0", "b"]}


def test_id_of_two_samples_with_instances_is_found_twice():
    twice = with_instances(a=2, b=1)
    twice.sample_ids = ["a", "b", "a", "a_0", "a_1", "b_0", "a_0", "a_1"]  # as code-loader lists them

    assert sample_ids_by_state(Loader(training=twice)) == {"training": ["a", "b", "a"]}


def test_constants_that_code_loader_adds_for_instances_are_no_metadata_of_a_sample():
    read = reader(
        Loader(training=response(FLAT)),
        {"builtin_instance_metadata_of_mine": "int"},
        metadata=[
            *handlers(builtin_instance_metadata=lambda *_: pytest.fail("it says nothing of a sample")),
            *handlers(builtin_instance_extra_metadata=lambda *_: pytest.fail("it says nothing of a sample")),
            *handlers(builtin_instance_metadata_of_mine=lambda *_: 7),
        ],
    )

    assert read.read("training", "a").metadata == {"builtin_instance_metadata_of_mine": 7}
    assert read.raw_metadata("training", "a") == {"builtin_instance_metadata_of_mine": 7}


def test_positions_are_integers():
    positions = PreprocessResponse(length=3, state=DataStateType.training)

    assert sample_ids_by_state(Loader(training=positions)) == {"training": [0, 1, 2]}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (np.array(["a", "b"]), ["a", "b"]),
        ([np.str_("a"), "b"], ["a", "b"]),
        ([["a", np.str_("b")], ["c"]], ["a", "b", "c"]),
        (np.arange(3), [0, 1, 2]),
        ([np.int64(4), 5], [4, 5]),
    ],
)
def test_ids_of_numpy_are_python_s_own(given, expected):
    numbers = isinstance(expected[0], int)
    of = PreprocessResponse(sample_ids=given, state=DataStateType.training, sample_id_type=int if numbers else None)
    loader = Loader(training=of)

    for ids in (sample_ids_by_state(loader)["training"], loader.flat_sample_ids("training")):
        assert ids == expected
        assert {type(sample_id) for sample_id in ids} == {type(expected[0])}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([(1, 2)], r"of type tuple, \(1, 2\) for one"),
        ([Path("a.png")], r"of type PosixPath, PosixPath\('a.png'\) for one"),
        ([UUID(int=7)], r"of type UUID, UUID\('[-0]+7'\) for one"),
        ([True], "of type bool, True for one"),
        ([0.5], "of type float, 0.5 for one"),
    ],
)
def test_other_ids_are_one_sentence(given, told):
    # With another type than str, code-loader lets everything through.
    of = PreprocessResponse(sample_ids=given, state=DataStateType.validation, sample_id_type=int)

    with pytest.raises(LeaplabError, match=f"^The sample ids of validation are {told}; .* give str") as caught:
        sample_ids_by_state(Loader(validation=of))
    assert "\n" not in str(caught.value)


def test_layers_that_an_integration_declares_are_known_by_their_names():
    class Layer:
        pass

    loader = Loader(training=response(FLAT))
    loader.found = SimpleNamespace(custom_layers={"mine": SimpleNamespace(name="mine", layer=Layer)})

    assert loader.custom_layers == {"mine": Layer}
    assert loader.unsupported == []


def test_sample_of_a_group_is_encoded_alone():
    given = response(GROUPS)
    asked: list[Any] = []

    def doubled(group, of) -> Any:
        asked.append((group, of))
        return [np.full(2, ord(sample_id), np.float32) for sample_id in group]

    read = reader(
        Loader(training=given),
        {"parts_letter": "string", "size": "int"},
        inputs=handlers(image=doubled),
        ground_truths=handlers(classes=doubled),
        metadata=handlers(
            parts=lambda group, of: [{"letter": sample_id} for sample_id in group], size=lambda group, of: [len(group)]
        ),
    )
    sample = read.read("training", "b")

    assert [(group, of is given) for group, of in asked] == [(["b"], True)] * 2
    assert sample.inputs["image"].tolist() == sample.ground_truths["classes"].tolist() == [98, 98]
    assert sample.metadata == {"parts_letter": "b", "size": 1}
    assert read.raw_metadata("training", "c") == {"parts_letter": "c", "size": 1}


def test_unlabeled_sample_is_not_asked_for_its_ground_truth():
    read = reader(
        Loader(unlabeled=response(FLAT, DataStateType.unlabeled)),
        inputs=handlers(image=lambda sample_id, _: sample_id),
        ground_truths=handlers(classes=lambda *_: pytest.fail("an unlabeled sample has no ground truth")),
    )

    assert read.read("unlabeled", "b") == Sample({"image": "b"}, {}, {}, {})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("declared", "value", "expected"),
    [
        ("int", np.int64(7), 7),
        ("int", 7.0, 7),
        ("float", 7, 7.0),
        ("string", 7, "7"),
        ("boolean", np.bool_(False), False),
        ("int", None, None),
        ("string", None, None),
        ("boolean", None, None),
        ("float", float("nan"), None),
        ("float", np.float32("inf"), None),
        ("string", float("nan"), None),
        ("float", "seven", None),
    ],
)
def test_metadata_is_of_its_declared_type_or_absent(declared, value, expected):
    found = read_metadata(declared, value)

    assert (found, type(found)) == (expected, type(expected))


def test_raw_metadata_is_as_it_was_returned():
    read = reader(
        Loader(training=response(FLAT)),
        {"m": "int", "d_k": "float"},
        metadata=handlers(m=lambda *_: 7.5, d=lambda *_: {"k": float("inf")}),
    )

    assert read.raw_metadata("training", "a") == {"m": 7.5, "d_k": float("inf")}


@pytest.mark.parametrize(
    ("declared", "value", "told"),
    [
        ("int", 7.5, "Metadata 'm' on sample 'a' of training: it is declared int but returned 7.5; declare it float."),
        (
            "float",
            {"late": 1},
            "Metadata 'm' on sample 'a' of training: the first sample has no key for column 'm_late';"
            " return the same keys.",
        ),
        ("float", [7.5], "Metadata 'm' on sample 'a' of training: TypeError: float()"),
    ],
)
def test_metadata_against_its_declaration_is_told(declared, value, told):
    with pytest.raises(LeaplabError, match=f"^{re.escape(told)}"):
        read_metadata(declared, value)


@pytest.mark.parametrize(
    ("place", "named"),
    [
        ("inputs", "Input 'broken'"),
        ("ground_truths", "Ground truth 'broken'"),
        ("metadata", "Metadata 'broken'"),
        ("latents", "Custom latent spaces"),
    ],
)
def test_failure_names_handler_sample_and_line(place, named):
    def broken(*_) -> None:
        raise KeyError("gone")

    loader = Loader(broken, training=response(FLAT))
    with pytest.raises(LeaplabError, match=f"^{named} on sample 'b' of training: KeyError: 'gone' ") as caught:
        reader(loader, **{place: handlers(broken=broken)}).read("training", "b")

    assert re.search(r"\(test_samples.py, line \d+, in broken\)$", str(caught.value))
