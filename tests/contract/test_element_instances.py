"""Objects as samples of their own, of the examples that have such: the others have none to test."""

from typing import Any

PLAIN = {"str", "int", "float", "bool"}


def test_a_mask_has_the_shape_of_an_input_and_is_0_or_1(behaviour: dict[str, Any]) -> None:
    for instance in behaviour["instances"]:
        assert instance["shape"] in instance["inputs"], instance["what"]
        assert instance["dtype"] == "float32", instance["what"]
        assert 1.0 in instance["values"], f"{instance['what']} covers nothing"
        assert set(instance["values"]) <= {0.0, 1.0}, instance["what"]


def test_every_instance_has_the_same_metadata_of_the_same_types(behaviour: dict[str, Any]) -> None:
    types: dict[str, set[str]] = {}
    for instance in behaviour["instances"]:
        assert instance["metadata"].keys() == behaviour["instances"][0]["metadata"].keys(), instance["what"]
        for key, (type_name, is_absent) in instance["metadata"].items():
            assert is_absent == (type_name == "NoneType"), instance["what"]
            types.setdefault(key, set()).add(type_name)
    for key, found in types.items():
        assert len(found - {"NoneType"}) == 1, key
        assert found - {"NoneType"} <= PLAIN, key


def test_the_row_of_an_instance_is_encoded_as_its_sample_is(behaviour: dict[str, Any]) -> None:
    assert [one["what"] for one in behaviour["instances"] if not one["row is of its sample"]] == []
