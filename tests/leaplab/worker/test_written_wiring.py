"""Wiring that a person writes, and every way of getting it wrong."""

import re
from pathlib import Path
from typing import Any

import pytest

from leaplab.errors import LeaplabError
from leaplab.project.locate import find_project
from leaplab.project.wiring_file import read_wiring_file
from leaplab.protocol.binding import WiringOrder
from leaplab.protocol.description import Node, Source
from leaplab.protocol.operations import DESCRIBE
from leaplab.session.opening import open_session
from leaplab.worker.written_wiring import ModelEnds, written_wiring

WIRED = Path(__file__).parents[1] / "foreign" / "wired"
HANDLERS = {
    "losses": {"cross_entropy": ["truth", "guess"]},
    "metrics": {"accuracy": ["truth", "guess"], "sharpness": ["image"]},
    "visualizers": {"picture": ["image"]},
}


def read(folder, text) -> Any:
    path = folder / "wiring.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return written_wiring(read_wiring_file(path), ["image", "bias"], ["classes"], ["scores", "boxes"], HANDLERS)


def test_each_argument_has_the_source_that_is_written(tmp_path):
    wiring = read(
        tmp_path,
        """
        model_inputs: [bias, image]
        losses:
          cross_entropy: {truth: ground_truth.classes, guess: prediction.1}
        metrics:
          sharpness: {image: input.bias}
          accuracy: {guess: prediction.boxes, truth: prediction.scores}
        visualizers:
          picture: {image: input.image}
        """,
    )

    assert wiring.model_inputs == ["bias", "image"]
    assert wiring.losses == [
        Node(
            "cross_entropy",
            "cross_entropy",
            {"truth": Source("ground_truth", "classes"), "guess": Source("prediction", index=1)},
        )
    ]
    assert wiring.metrics == [
        Node("sharpness", "sharpness", {"image": Source("input", "bias")}),
        Node("accuracy", "accuracy", {"truth": Source("prediction", index=0), "guess": Source("prediction", index=1)}),
    ]
    assert wiring.visualizers == [Node("picture", "picture", {"image": Source("input", "image")})]


def test_handler_may_be_used_twice_and_a_default_left_out(tmp_path):
    (tmp_path / "wiring.yaml").write_text(
        """
        metrics:
          accuracy: {truth: ground_truth.classes, guess: prediction.0}
          accuracy as of_boxes: {truth: ground_truth.classes, guess: prediction.1}
          sharpness: {}
        """
    )
    order = read_wiring_file(tmp_path / "wiring.yaml")

    wiring = written_wiring(order, ["image"], ["classes"], ["scores"], HANDLERS, {"metrics": {"sharpness": {"image"}}})

    truth = Source("ground_truth", "classes")
    assert wiring.metrics == [
        Node("accuracy", "accuracy", {"truth": truth, "guess": Source("prediction", index=0)}),
        Node("accuracy", "of_boxes", {"truth": truth, "guess": Source("prediction", index=1)}),
        Node("sharpness", "sharpness", {}),
    ]


INNER = "is no output of the model"
ANY = "may be any of the model's outputs"


@pytest.mark.parametrize(
    ("layers", "ends", "expected"),
    [
        ({"1": "dense"}, None, {"1": 0}),  # the model is not looked at
        ({"1": "dense", "7": "conv"}, ModelEnds(["image"], ["dense"]), {"1": 0, "7": INNER}),
        ({"2": "boxes", "19": "scores"}, ModelEnds(["image"], ["merged"]), {"2": INNER, "19": INNER}),
        ({"1": "a", "80": "b", "9": "c"}, ModelEnds(["image"], ["x", "y", "z"]), {"1": 0, "9": 1, "80": 2}),
        ({"1": "y", "80": "x"}, ModelEnds(["image"], ["x", "y", "z"]), {"1": 1, "80": 0}),
        ({"1": "a", "9": "b"}, ModelEnds(["image"], ["x", "y", "z"]), {"1": 0, "9": ANY}),
        ({"1": "x", "9": "b"}, ModelEnds(["image"], ["x", "y"], ["a", "b", "x", "y"]), {"1": 0, "9": INNER}),
        ({"1": "a", "9": "b"}, "there is none", {"1": 0, "9": "is not known to be an output (there is none)"}),
    ],
)
def test_layers_of_a_mapping_file_are_outputs_of_the_model_or_left_out(layers, ends, expected):
    def look() -> Any:
        assert ends is not None, "there was nothing to look for"
        if isinstance(ends, str):
            raise LeaplabError(f"{ends}.")
        return ends

    uses = {f"accuracy as {number}": {"truth": "ground_truth.classes", "guess": f"layer.{number}"} for number in layers}
    order = WiringOrder("mapping.yaml", {"metrics": uses, "layers": layers, "model_inputs": [], "inputs_of_model": {}})

    wiring = written_wiring(order, ["image"], ["classes"], [], HANDLERS, ends=look)

    assert {node.column: node.arguments["guess"].index for node in wiring.metrics} == {
        number: place for number, place in expected.items() if isinstance(place, int)
    }
    told = {number: reason for number, reason in expected.items() if isinstance(reason, str)}
    assert len(wiring.left_out) == len(told)
    for (number, reason), sentence in zip(told.items(), wiring.left_out, strict=True):
        assert f"the metric '{number}': the layer that feeds 'guess' {reason}" in sentence


@pytest.mark.parametrize(
    ("of_model", "called", "expected"),
    [
        (["first", "second"], {}, ["image", "bias"]),  # the names tell nothing: as they are registered
        (["bias", "image"], {}, ["bias", "image"]),
        (["b", "image"], {"bias": "b"}, ["bias", "image"]),
    ],
)
def test_inputs_of_a_mapping_file_come_in_the_order_of_the_model(of_model, called, expected):
    content = {"layers": {}, "model_inputs": ["bias", "image", "gone"], "inputs_of_model": called}

    wiring = written_wiring(
        WiringOrder("mapping.yaml", content),
        *(["other", "image", "bias"], [], [], HANDLERS),
        ends=lambda: ModelEnds(of_model, ["classes"]),
    )

    assert wiring.model_inputs == expected
    assert wiring.left_out == ["the input 'gone', which the integration does not have"]


@pytest.mark.parametrize("text", ["", "losses:\nmetrics: {}\nmodel_inputs:\n"])
def test_what_is_left_out_is_left_out(tmp_path, text):
    wiring = read(tmp_path, text)

    assert (wiring.model_inputs, wiring.losses, wiring.metrics, wiring.visualizers) == ([], [], [], [])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("loss: {}", "loss is not losses, metrics, visualizers or model_inputs."),
        ("{1: {}, loss: {}}", "1, loss is not losses, metrics, visualizers or model_inputs."),
        ("[losses]", "must map losses, metrics, visualizers or model_inputs to what they hold."),
        ("losses: [cross_entropy]", "losses must map names of handlers to their arguments."),
        ("losses: {mse: {}}", "losses names 'mse'; the integration has cross_entropy."),
        ("losses: {accuracy: {}}", "losses names 'accuracy'; the integration has cross_entropy."),
        ("visualizers: {picture: input.image}", "visualizers.picture must give a source for each of image."),
        (
            "losses: {cross_entropy: {truth: ground_truth.classes}}",
            "losses.cross_entropy must give a source for each of truth, guess.",
        ),
        (
            "metrics: {sharpness: {image: input.image, guess: prediction.0}}",
            "metrics.sharpness must give a source for each of image.",
        ),
        (
            "metrics: {sharpness: {image: image}}",
            "metrics.sharpness.image is 'image'; write input.NAME, ground_truth.NAME or prediction.NUMBER.",
        ),
        (
            "metrics: {sharpness: {image: inputs.image}}",
            "metrics.sharpness.image is 'inputs.image'; write input.NAME, ground_truth.NAME or prediction.NUMBER.",
        ),
        (
            "metrics: {sharpness: {image: input.picture}}",
            "metrics.sharpness.image names 'picture'; the integration has image, bias.",
        ),
        (
            "metrics: {sharpness: {image: ground_truth.image}}",
            "metrics.sharpness.image names 'image'; the integration has classes.",
        ),
        (
            "metrics: {sharpness: {image: prediction.masks}}",
            "metrics.sharpness.image names 'masks'; the integration has scores, boxes.",
        ),
        (
            "metrics: {sharpness: {image: prediction.²}}",
            "metrics.sharpness.image names '²'; the integration has scores, boxes.",
        ),
        ("model_inputs: [image, depth]", "model_inputs names 'depth'; the integration has image, bias."),
        ("model_inputs: image", "model_inputs must be a list of input encoders: [image, bias]."),
        ("losses: {cross", "cannot be read: while parsing a flow mapping"),
        (b"\xff\xfe\xff", "cannot be read: 'utf-8' codec"),
    ],
)
def test_each_mistake_is_a_sentence_that_names_file_and_place(tmp_path, text, told):
    with pytest.raises(LeaplabError, match=re.escape(told)) as caught:
        read(tmp_path, text)

    assert str(tmp_path / "wiring.yaml") in str(caught.value)


def test_missing_file_is_a_sentence(tmp_path):
    with pytest.raises(LeaplabError, match="gone.yaml cannot be read: .*No such file"):
        read_wiring_file(tmp_path / "gone.yaml")


def test_integration_test_leaves_no_place_for_a_wiring_file(tiny, tmp_path):
    (tmp_path / "wiring.yaml").write_text("losses: {}")
    with (
        open_session(find_project(tiny), wiring=tmp_path / "wiring.yaml") as session,
        pytest.raises(LeaplabError, match="has an integration test, which tells its wiring; leave out --wiring"),
    ):
        session.call(DESCRIBE)


def test_other_wiring_makes_another_run(tmp_path):
    """A wiring file outside the integration belongs to what an evaluation depends on."""
    digests = []
    for metrics in ("{}", "{hit: {truth: ground_truth.classes, guess: prediction.0}}"):
        (tmp_path / "wiring.yaml").write_text(f"metrics: {metrics}")
        with open_session(find_project(WIRED), wiring=tmp_path / "wiring.yaml") as session:
            description = session.call(DESCRIBE)
        assert [node.column for node in description.metrics] == ([] if metrics == "{}" else ["hit"])
        digests.append(description.code_sha256)

    assert digests[0] != digests[1]
