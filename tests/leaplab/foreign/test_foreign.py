"""Integrations in the styles that exist, evaluated and sampled by the commands.

All are made of the same samples, whose image, label and bias follow from a number, so that each test computes what a
run must hold by itself: by onnxruntime and the formulas here.
"""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

HERE = Path(__file__).parent
PLAIN = HERE.parent / "integrations" / "plain"
Outputs = list[NDArray[Any]]
Column = Callable[[int, Outputs], Any]


def image_of(number: int) -> NDArray[np.float32]:
    return (np.arange(36) * (number + 1) % 7 / 7).astype(np.float32).reshape(6, 6, 1)


def bias_of(number: int) -> NDArray[np.float32]:
    return np.array([number % 2, 0, -1], np.float32)


def number_of(number: int, outputs: Outputs) -> int:
    return number


def squares_of(output: int) -> Column:
    return lambda number, outputs: np.square(np.eye(3)[number % 3] - outputs[output]).sum()


def hit(number: int, outputs: Outputs) -> float:
    return float(outputs[0].argmax() == number % 3)


def numbered(first: int, **states: int) -> dict[str, dict[str, int]]:
    """State -> id -> number: ids are the state's first letter and a position, numbers go on from state to state."""
    found: dict[str, dict[str, int]] = {}
    for state, count in states.items():
        found[state] = {f"{state[0]}{position}": first + position for position in range(count)}
        first += count
    return found


@dataclass(frozen=True)
class Foreign:
    """What a run of an integration must hold."""

    columns: Mapping[str, Column]
    model: Mapping[str, Any] = field(default_factory=lambda: {"inputs": ("image",)})
    states: Mapping[str, Mapping[str, int]] = field(default_factory=lambda: numbered(0, training=5, validation=3))
    absent: Mapping[str, str] = field(default_factory=dict)
    """Column -> the state whose samples have none."""
    rows: bool = False
    """Whether there is a custom latent space of the image's row means."""
    visuals: tuple[str, ...] = ()
    instances: Callable[[int], int] | None = None
    """Of a sample's number: how many element instances it has."""
    options: tuple[str, ...] = ()


SQUARES = {"loss.squares": squares_of(0)}
NUMBER = {"metadata.number": number_of}
FOREIGN = {
    "flat": Foreign({**SQUARES, **NUMBER, "metric.hit": hit}, visuals=("picture",)),
    "two_and_two": Foreign({"loss.squares": squares_of(1), "metric.hit": hit}, {"outputs": 2}),
    "channels_first": Foreign(SQUARES, {"inputs": ("image",), "batch": 4}, visuals=("picture",)),
    "own_mnist": Foreign({**SQUARES, **NUMBER}),
    "wired": Foreign(
        {**SQUARES, "metric.hit": hit}, {}, visuals=("picture",), options=("--wiring", "wiring.yaml")
    ),
    "grouped": Foreign(
        {
            **SQUARES,
            **NUMBER,
            "metadata.parts_double": lambda number, _: 2 * number,
            "metadata.parts_odd": lambda number, _: None if number == 4 else number % 2 == 1,
        },
        rows=True,
    ),
    "instances": Foreign({**SQUARES, **NUMBER}, instances=lambda number: number % 3),
    "numpy_ids": Foreign({**SQUARES, **NUMBER}),
    "old_style": Foreign(
        {
            **SQUARES,
            **NUMBER,
            "loss.CategoricalCrossentropy": lambda number, outputs: -np.log(outputs[0][number % 3]),
            "metric.hit": hit,
            "metric.hit_of_the_truth": lambda *_: 1.0,
            "metric.Accuracy": lambda number, outputs: np.mean((outputs[0] > 0.5) == np.eye(3)[number % 3]),
            "metric.sure": lambda _, outputs: float(outputs[0].max() > 0.5),
        },
        {},
        {"training": {str(n): n for n in range(5)}, "validation": {str(n): n + 5 for n in range(3)}},
        visuals=("picture", "bars_pred", "bars_gt"),
        options=("--model", "model.onnx"),
    ),
    "simulated": Foreign({**SQUARES, **NUMBER}),
    "own_latents": Foreign(SQUARES, rows=True),
    "unlabeled": Foreign(
        {**SQUARES, "metric.confidence": lambda number, outputs: outputs[0].max()},
        states=numbered(0, training=5, validation=3, unlabeled=4),
        absent={"loss.squares": "unlabeled"},
    ),
}  # fmt: skip


def model_of(make_model, foreign: Foreign, name: str) -> onnx.ModelProto:
    """`tiny_model`, its second output turned to its negative, or its image laid channels first."""
    model: onnx.ModelProto = make_model(**foreign.model)
    if foreign.model.get("outputs") == 2:
        model.graph.node[-1].op_type = "Neg"
    if name == "channels_first":
        del model.graph.node[0]
        model.graph.node[0].input[0] = "image"
        sizes = model.graph.input[0].type.tensor_type.shape.dim
        for size, length in zip(sizes, (4, 1, 6, 6), strict=True):
            size.dim_value = length
    onnx.checker.check_model(model)
    return model


def outputs_of(model: onnx.ModelProto, foreign: Foreign, name: str, number: int) -> Outputs:
    """What the model gives for one sample alone, by onnxruntime."""
    session = onnxruntime.InferenceSession(model.SerializeToString())
    image = image_of(number).transpose(2, 0, 1) if name == "channels_first" else image_of(number)
    given = {"image": image, "bias": bias_of(number)}
    feed = {each.name: np.stack([given[each.name]] * foreign.model.get("batch", 1)) for each in session.get_inputs()}
    return [output[0] for output in session.run(None, feed)]


@pytest.mark.usefixtures("one_process")
@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_integration_is_evaluated_and_sampled(command, make_model, stored_rows, tmp_path, monkeypatch, name):
    foreign, root = FOREIGN[name], tmp_path / "integration"
    shutil.copytree(HERE / name, root, ignore=shutil.ignore_patterns("__pycache__"))
    model = model_of(make_model, foreign, name)
    onnx.save(model, root / "model.onnx")
    monkeypatch.chdir(root)
    where = [root, *foreign.options]

    evaluated = command("evaluate", *where, "--runs", tmp_path, "--batch-size", 4, "--json")
    assert evaluated.code == 0, evaluated.err
    rows = stored_rows(SimpleNamespace(path=tmp_path / "model"))
    expected = [(state, sample_id) for state, ids in foreign.states.items() for sample_id in ids]
    assert [(row["state"], row["sample_id"]) for row in rows] == expected
    for row in rows:
        number = foreign.states[row["state"]][row["sample_id"]]
        assert_row(row, foreign, number, outputs_of(model, foreign, name, number))
    assert_latents(tmp_path / "model", foreign, len(rows))
    parts = stored_rows(SimpleNamespace(path=tmp_path / "model"), "instances")
    keys = ("state", "sample_id", "number", "name", "metadata.row")
    assert [tuple(part[key] for key in keys) for part in parts] == [
        (state, sample_id, part, f"row {part}", part)
        for state, sample_id in expected
        for part in range(foreign.instances(foreign.states[state][sample_id]) if foreign.instances else 0)
    ]

    state, sample_id = expected[-1]
    sampled = command("sample", state, sample_id, *where, "--out", tmp_path / "pictures", "--json")
    assert sampled.code == 0, sampled.err
    told = json.loads(sampled.out)
    shown = {**told["scores"], **{f"metadata.{column}": value for column, value in told["metadata"].items()}}
    number = foreign.states[state][sample_id]
    assert_row({"state": state, **shown}, foreign, number, outputs_of(model, foreign, name, number))
    pictures = [tmp_path / "pictures" / state / sample_id / f"{visual}.png" for visual in foreign.visuals]
    assert list(told["visualizers"].values()) == [str(picture) for picture in pictures]
    assert all(picture.read_bytes().startswith(b"\x89PNG") for picture in pictures)


def assert_row(row: Mapping[str, Any], foreign: Foreign, number: int, outputs: Outputs) -> None:
    for column, function in foreign.columns.items():
        if foreign.absent.get(column) == row["state"]:
            assert row.get(column) is None
            continue
        expected = function(number, outputs)
        if isinstance(expected, float | np.floating):
            assert row[column] == pytest.approx(expected, abs=1e-5), column
        else:
            assert row[column] == expected, column
    assert {name for name in row if name.startswith(("loss.", "metric.", "metadata."))} <= set(foreign.columns)


def assert_latents(run: Path, foreign: Foreign, samples: int) -> None:
    spaces = {path.name: np.concatenate([np.load(part) for part in sorted(path.iterdir())])
              for path in (run / "latent").iterdir()}  # fmt: skip
    assert set(spaces) == ({"model", "rows"} if foreign.rows else {"model"})
    assert {len(vectors) for vectors in spaces.values()} == {samples}
    if foreign.rows:
        numbers = [number for ids in foreign.states.values() for number in ids.values()]
        expected = np.stack([image_of(number).mean(axis=(1, 2)) for number in numbers])
        np.testing.assert_allclose(spaces["rows"], expected, atol=1e-6)


@pytest.mark.usefixtures("one_process")
def test_positions_as_ids_are_evaluated_and_sampled(command, make_dense_model, stored_rows, tmp_path):
    root = tmp_path / "integration"
    shutil.copytree(PLAIN, root, ignore=shutil.ignore_patterns("__pycache__"))
    onnx.save(make_dense_model(), root / "dense.onnx")

    assert command("evaluate", root, "--runs", tmp_path).code == 0
    rows = stored_rows(SimpleNamespace(path=tmp_path / "dense"))
    positions = [*range(20), *range(12)]
    assert [row["sample_id"] for row in rows] == [str(position) for position in positions]
    assert [row["metadata.position"] for row in rows] == positions

    sampled = command("sample", "validation", "7", root, "--json")
    assert sampled.code == 0, sampled.err
    vectors = np.random.default_rng(5)
    vectors.normal(size=(20, 4))
    vector = vectors.normal(size=(12, 4)).astype(np.float32)[7]
    halves = np.maximum(vector @ make_dense_model.weights["first"], 0) @ make_dense_model.weights["second"]
    told = json.loads(sampled.out)
    (prediction,) = (tensor for tensor in told["tensors"] if tensor["kind"] == "prediction")
    assert prediction["mean"] == pytest.approx(halves.mean(), abs=1e-5)
    assert told["metadata"] == {"position": 7}
