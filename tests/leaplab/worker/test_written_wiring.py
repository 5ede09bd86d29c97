"""Wiring that a person writes, and every way of getting it wrong."""

import re
from pathlib import Path
from typing import Any

import pytest

from leaplab.errors import LeaplabError
from leaplab.project.locate import find_project
from leaplab.project.wiring_file import read_wiring_file
from leaplab.protocol.description import Node, Source
from leaplab.protocol.operations import DESCRIBE
from leaplab.session.opening import open_session
from leaplab.worker.written_wiring import written_wiring

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
