"""Mapping files: which one counts, and what they say as a wiring."""

import pytest

from leaplab.errors import LeaplabError
from leaplab.project.mapping_file import mapping_files, own_mapping, wiring_of
from leaplab.project.wiring_file import own_wiring, read_wiring_file

MAPPING = "decorators: []\nlayers: []\n"


@pytest.mark.parametrize(
    ("files", "own", "order"),
    [
        ([], None, []),
        (["leap_mapping.yaml"], "leap_mapping.yaml", ["leap_mapping.yaml"]),
        (["leap_mapping_a.yaml"], "leap_mapping_a.yaml", ["leap_mapping_a.yaml"]),
        (["leap_mapping_a.yaml", "leap_mapping_b.yml"], None, ["leap_mapping_a.yaml", "leap_mapping_b.yml"]),
        (["leap_mapping_0.yml", "leap_mapping.yaml"], "leap_mapping.yaml", ["leap_mapping.yaml", "leap_mapping_0.yml"]),
        (["mappings/leap_mapping.yaml"], None, ["mappings/leap_mapping.yaml"]),
        (["leap.yaml", "mapping.yaml"], None, []),
    ],
)  # fmt: skip
def test_one_beside_leap_yaml_counts(tmp_path, files, own, order):
    for file in files:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(MAPPING)

    assert own_mapping(tmp_path) == (None if own is None else tmp_path / own)
    assert mapping_files(tmp_path) == [tmp_path / file for file in order]


@pytest.mark.parametrize("text", ["decorators: [", "losses: {}", "- a", "", b"\xff\xfe"])
def test_own_file_that_is_no_mapping_is_as_good_as_none(tmp_path, text):
    (tmp_path / "leap_mapping.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())

    assert own_wiring(tmp_path) is None


def test_file_that_is_one_block_of_text_is_read(tmp_path):
    lines = "decorators:\n- {operation: CustomLoss, data: {type: CustomLoss, name: ce}, inputs: {}}\nlayers: []\n"
    (tmp_path / "leap_mapping.yaml").write_text("|\n" + "".join(f"  {line}\n" for line in lines.splitlines()))
    plain = tmp_path / "plain.yaml"
    plain.write_text(lines)

    found = own_wiring(tmp_path)

    assert found is not None
    assert found.content == read_wiring_file(plain).content
    assert list(found.content["losses"]) == ["ce"]


def node(operation, number, inputs=None, outputs=None, **data) -> dict:
    return {"operation": operation, "data": data, "id": number, "inputs": inputs or {}, "outputs": outputs or {}}


def of(operation, key="", number="9", **more) -> list:
    return [{"outputKey": key, "operation": operation, "id": number, **more}]


TRUTH, HEAD = of("GroundTruth", "classes"), of("Dense", "feature_map", "1", name="dense")


def test_each_place_of_a_handler_s_name_is_read():
    wiring = wiring_of(
        {
            "decorators": [
                node("CustomLoss", "2", {"a": TRUTH}, type="CustomLoss", name="by_name", selected="by_name"),
                node("CustomLoss", "3", {"a": HEAD}, type="CustomLoss", output_name="by_output"),
                node("BinaryCrossentropy", "4", {"prediction": HEAD, "ground_truth": TRUTH}, type="Loss"),
                node("Metric", "5", {"a": TRUTH}, type="Metric", metric_name="by_metric"),
                node(
                    "Visualizer", "6", {"a": of("Input", "image")}, type="Visualizer", visualizer_name="by_visualizer"
                ),
                node("Adam", "7", type="Optimizer"),
                node("Resize", "8", type="Function", name="smaller"),
            ]
        }
    )

    assert wiring["losses"] == {
        "by_name": {"a": "ground_truth.classes"},
        "by_output": {"a": "layer.1"},
        "BinaryCrossentropy": {"prediction": "layer.1", "ground_truth": "ground_truth.classes"},
    }
    assert wiring["metrics"] == {"by_metric": {"a": "ground_truth.classes"}}
    assert wiring["visualizers"] == {"by_visualizer": {"a": "input.image"}}
    assert wiring["layers"] == {"1": "dense"}
    assert wiring["left_out"] == ["the Function 'smaller', which is no loss, metric or visualizer"]


def test_uses_of_one_handler_have_names_of_their_own():
    uses = ["bars", "truth", "bars", "bars", None]
    nodes = [
        node(
            "Visualizer", str(n), {"a": HEAD}, type="Visualizer", name="bars", **({"user_unique_name": u} if u else {})
        )
        for n, u in enumerate(uses)
    ]

    assert list(wiring_of({"decorators": nodes})["visualizers"]) == [
        *("bars", "bars as truth", "bars as bars_1", "bars as bars_2", "bars as bars_3")
    ]


def test_inputs_of_the_model_are_those_that_go_into_a_layer():
    into_layer = {"inputKey": "input", "operation": "Conv2D", "name": "conv", "id": "8"}
    into_visualizer = {"inputKey": "data", "operation": "Visualizer", "id": "9"}
    wiring = wiring_of(
        {
            "decorators": [
                node("Input", "1", outputs={"image": [into_visualizer, into_layer]}, type="Input", output_name="image"),
                node("Input", "2", outputs={"mask": [into_visualizer]}, type="Input", output_name="mask"),
                node(
                    "Input", "3", outputs={"t": [into_layer]}, type="Input", output_name="types", origin_name="type_ids"
                ),
                node("Input", "4", outputs={"image": [into_layer]}, type="Input", output_name="image"),
            ]
        }
    )

    assert wiring["model_inputs"] == ["image", "types"]
    assert wiring["inputs_of_model"] == {"types": "type_ids"}


@pytest.mark.parametrize("sources", [None, [], "Dense", ["Dense"], TRUTH + HEAD])
def test_argument_that_no_one_node_feeds_is_told(sources):
    wiring = wiring_of({"decorators": [node("Metric", "1", {"a": sources}, type="Metric", name="hit"), "nonsense"]})

    assert wiring["metrics"] == {}
    assert wiring["left_out"] == ["'hit', whose argument 'a' is not fed by one node"]


def test_person_does_not_write_what_only_a_mapping_file_has(tmp_path):
    (tmp_path / "wiring.yaml").write_text("losses: {}\nlayers: {1: dense}\n")

    with pytest.raises(LeaplabError, match="layers is not losses, metrics, visualizers or model_inputs"):
        read_wiring_file(tmp_path / "wiring.yaml")
