"""`leaplab heatmap`, and the same from Python."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import yaml
from PIL import Image

from leaplab.errors import LeaplabError
from leaplab.population.heatmap import HeatmapQuestion, HeatMaps, extremes
from leaplab.population.opened import Run
from leaplab.population.population import Population
from leaplab.store.run import RunStore

Command = Callable[..., Any]


@pytest.fixture(scope="module")
def population(tiny_run: RunStore) -> Population:
    return Population(tiny_run)


@pytest.fixture(scope="module")
def run(population: Population) -> Iterator[Run]:
    opened = Run(population)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def by_hand(tiny: Path, population: Population, plain_functions: Any) -> Any:
    """`by_hand(id)`: the sample of an id, and what the model's head makes of maps [B, 4, 4, 4] and its bias."""
    stored = onnx.load(tiny / "tiny.onnx").graph.initializer
    weights = {each.name: onnx.numpy_helper.to_array(each) for each in stored}
    samples = plain_functions("samples")
    settings = yaml.safe_load((tiny / "project_config.yaml").read_text())

    def of(sample_id: str) -> Any:
        state = population.states[population.row_of(sample_id)]
        sample = samples.draw(state, settings[state], settings["seed"])[sample_id]
        kernel = weights["kernel"][:, 0]
        windows = np.lib.stride_tricks.sliding_window_view(sample.image[..., 0], (3, 3))
        maps = np.maximum(np.einsum("yxij,kij->kyx", windows, kernel) + weights["kernel_bias"][:, None, None], 0)

        def head(some: Any) -> Any:
            logits = some.mean(axis=(2, 3)) @ weights["dense"] + weights["dense_bias"] + sample.bias
            powers = np.exp(logits - logits.max(axis=1, keepdims=True))
            return powers / powers.sum(axis=1, keepdims=True)

        return sample, maps, head

    return of


def without_each_cell(maps: Any) -> Any:
    """The map with one cell at a time set to 0."""
    rows, columns = maps.shape[1:]
    changed = np.repeat(maps[None], rows * columns, axis=0)
    for cell in range(rows * columns):
        changed[cell, :, cell // columns, cell % columns] = 0
    return changed


def test_a_class_is_what_the_models_head_says_without_each_cell(run: Run, by_hand: Any) -> None:
    sample_id = run.ids[2]
    answer = run.heatmap(sample_id, "class:middle", baseline="zero")
    _, maps, head = by_hand(sample_id)
    base = head(maps[None])[0, 1]
    wanted = (base - head(without_each_cell(maps))[:, 1]).reshape(maps.shape[1:])

    assert (answer.method, answer.layer, answer.baseline, answer.input) == ("ablation", "positive", "zero", "image")
    np.testing.assert_allclose(answer.targets, [base], rtol=1e-4)
    np.testing.assert_allclose(answer.values[0], wanted, atol=1e-5)


def test_a_loss_is_the_one_of_the_run(run: Run, by_hand: Any, plain_functions: Any) -> None:
    sample_id = run.ids[4]
    answer = run.heatmap(sample_id, "loss:cross_entropy", baseline="zero")
    sample, maps, head = by_hand(sample_id)
    truth = np.repeat(plain_functions("samples").one_hot(sample)[None], maps[0].size, axis=0)
    losses = plain_functions("scores").cross_entropy(truth, head(without_each_cell(maps)).astype(np.float32))

    stored = run.read("loss.cross_entropy")[4]
    assert answer.target_value == pytest.approx(stored, rel=1e-5)
    np.testing.assert_allclose(answer.values[0].reshape(-1), stored - losses, atol=1e-4)
    assert answer.table()["change"] == answer.values[0].reshape(-1).tolist()


def test_the_mean_is_that_of_the_runs_samples(run: Run, by_hand: Any) -> None:
    sample_id = run.ids[0]
    mean = np.mean([by_hand(each)[1] for each in run.ids], axis=(0, 2, 3)) if run.samples <= 64 else None
    answer = run.heatmap(sample_id, "class:top")
    assert answer.baseline == "mean"
    if mean is not None:
        _, maps, head = by_hand(sample_id)
        changed = np.repeat(maps[None], maps[0].size, axis=0)
        for cell in range(maps[0].size):
            changed[cell, :, cell // maps.shape[2], cell % maps.shape[2]] = mean
        wanted = head(maps[None])[0, 0] - head(changed)[:, 0]
        np.testing.assert_allclose(answer.values[0].reshape(-1), wanted, atol=1e-4)


def test_all_classes_sum_up_to_nothing_where_they_are_shares(run: Run) -> None:
    answer = run.heatmap(run.ids[1], "class:all")
    assert answer.names == ("top", "middle", "bottom")
    assert sum(answer.target_value.values()) == pytest.approx(1)  # type: ignore[union-attr]
    np.testing.assert_allclose(answer.values.sum(axis=0), 0, atol=1e-6)


def test_likeness_to_another_is_the_cosine_of_their_vectors(run: Run) -> None:
    one, other = run.vectors("model").values[[3, 5]].astype(float)
    cosine = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
    answer = run.heatmap(run.ids[3], f"similar:{run.ids[5]}")
    assert answer.target_value == pytest.approx(cosine, rel=1e-5)
    with pytest.raises(LeaplabError, match="is the sample itself"):
        run.heatmap(run.ids[3], f"similar:{run.ids[3]}")


def test_an_input_that_is_no_image_is_taken_away_entry_by_entry(run: Run, by_hand: Any) -> None:
    sample_id = run.ids[2]
    answer = run.heatmap(sample_id, "class:top", input="bias", baseline="zero")
    sample, maps, head = by_hand(sample_id)
    base = head(maps[None])[0]
    logits = np.log(base)
    wanted = []
    for place in range(3):
        changed = logits.copy()
        changed[place] -= sample.bias[place]
        wanted.append(base[0] - np.exp(changed[0]) / np.exp(changed).sum())
    np.testing.assert_allclose(answer.values, [[wanted]], atol=1e-5)
    assert answer.method == "occlusion"
    assert "no feature map of more than one cell between 'bias' and its outputs" in answer.notices[0]
    assert not answer.is_image


def test_an_answer_is_computed_once(tiny_run: RunStore, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run.heatmap(run.ids[0], "class:top")

    def unwanted(*_: Any) -> Any:
        raise AssertionError("the integration is bound again")

    monkeypatch.setattr("leaplab.population.model_cuts.reopen", unwanted)
    with HeatMaps(Population(tiny_run)) as maps:
        again = maps.of(HeatmapQuestion(0, "class:top"))
    np.testing.assert_array_equal(first.values, again.values)
    assert (first.layer, first.names, first.notices) == (again.layer, again.names, again.notices)


def test_a_notebook_shows_the_map_and_what_it_is_of(run: Run) -> None:
    page = run.heatmap(run.ids[0], "class:all")._repr_html_()
    assert page.count("<img") == 3
    assert "top" in page
    assert "class:all" in page


def test_a_person_is_told_the_largest_changes_first(run: Run) -> None:
    answer = run.heatmap(run.ids[2], "class:middle", baseline="zero")
    told = extremes(answer, 2)
    values = answer.values[0]
    rows, columns = values.shape
    best = np.unravel_index(values.argmax(), values.shape)
    assert told[0] == (f"in row {best[0] + 1} of {rows}, column {best[1] + 1} of {columns}", values.max())
    assert [change for _, change in told if change > 0] == sorted((c for _, c in told if c > 0), reverse=True)


# The command --------------------------------------------------------------------------------------------------------


def test_command_prints_what_commands_have_agreed_upon(
    command: Command, tiny_run: RunStore, run: Run, tmp_path: Path
) -> None:
    maps = {each: run.heatmap(each, "class:middle", baseline="zero").values for each in run.ids[:9]}
    sample_id = max(maps, key=lambda each: min(-maps[each].min(), maps[each].max()))
    asked = ("heatmap", tiny_run.path, "--id", sample_id, "--of", "class:middle", "--baseline", "zero")
    done = command(*asked, "-o", tmp_path / "maps", "--json")
    assert done.code == 0, done.err
    answer = json.loads(done.out)
    known = run.heatmap(sample_id, "class:middle", baseline="zero")

    assert list(answer) == ["id", "state", "of", "method", "layer", "baseline", "target_value", "files", "values"]
    assert (answer["id"], answer["state"]) == (sample_id, "training")
    assert (answer["of"], answer["method"], answer["layer"]) == ("class:middle", "ablation", "positive")
    assert answer["target_value"] == known.target_value
    assert list(answer["files"]) == ["raises", "lowers", "overlay"]
    np.testing.assert_array_equal(np.load(answer["values"]), known.values[0])
    pictures = {name: np.asarray(Image.open(path).convert("RGB"), int) for name, path in answer["files"].items()}
    red = {name: (array[..., 0] - array[..., 2] > 40).sum() for name, array in pictures.items()}
    blue = {name: (array[..., 2] - array[..., 0] > 40).sum() for name, array in pictures.items()}
    assert red["raises"] > red["lowers"]
    assert blue["lowers"] > blue["raises"]

    again = command(*asked, "-o", tmp_path / "maps")
    assert again.code == 2
    assert "is there already" in again.err
    replaced = command(*asked, "-o", tmp_path / "maps", "--overwrite")
    assert replaced.code == 0
    assert f"class:middle of training/{sample_id} is" in replaced.out
    told = re.findall(r"in row (\d) of 4, column (\d) of 4 it would be ([\d.e-]+) (\w+)\.", replaced.out)
    assert {sense for *_, sense in told} == {"higher", "lower"}
    for row, column, size, sense in told:
        change = known.values[0][int(row) - 1, int(column) - 1]
        assert (sense == "lower") == (change > 0)
        assert float(size) == pytest.approx(abs(change), rel=1e-3)


def test_command_lists_layers(command: Command, tiny_run: RunStore, run: Run) -> None:
    done = command("heatmap", tiny_run.path, "--id", run.ids[0], "--layer", "list", "--json")
    layers = json.loads(done.out)["layers"]
    assert [each["layer"] for each in layers] == ["maps", "positive"]
    assert layers[1] == {"layer": "positive", "height": 4, "width": 4, "channels": 4, "use": "head, deep"}
    assert "everything" in command("heatmap", tiny_run.path, "--id", run.ids[0], "--layer", "list").out


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--of", "beauty"), "There is no heat-map of 'beauty'"),
        (("--of", "class"), "There is no heat-map of 'class'"),
        (("--of", "loss:"), "There is no heat-map of 'loss:'"),
        (("--of", "class:left"), "no class 'left'; the model has top, middle, bottom"),
        (("--of", "loss:mine"), "no loss 'mine'"),
        (("--of", "metric:mine"), "no metric 'mine'"),
        (("--of", "similar:nobody"), "no sample 'nobody'"),
        (("--of", "detection:1"), "No visualizer of the integration draws the boxes"),
        (("--of", "instance:0"), "tells no element instances apart"),
        (("--of", "loss", "--decoder", "yolo"), "leave it out"),
        (("--layer", "nowhere"), "no layer 'nowhere'"),
        (("--layer", "logits"), "no two axes of space"),
        (("--layer", "maps", "--method", "occlusion"), "leave out --layer"),
        (("--input", "sound"), "no input 'sound'; it has image, bias"),
        (("--method", "gradient"), "Gradients are taken of Keras models alone"),
    ],
)
def test_bad_questions_are_answered_in_one_sentence(
    run: Run, tiny_run: RunStore, options: tuple[str, ...], sentence: str
) -> None:
    words = {name[2:]: value for name, value in zip(options[::2], options[1::2], strict=True)}
    with pytest.raises(LeaplabError) as raised:
        run.heatmap(run.ids[0], **words)  # type: ignore[arg-type]
    assert sentence in str(raised.value)


def test_command_wants_a_sample(command: Command, tiny_run: RunStore) -> None:
    done = command("heatmap", tiny_run.path)
    assert (done.code, done.out) == (2, "")
    assert "--id ID" in done.err
    missing = command("heatmap", tiny_run.path, "--id", "nobody")
    assert missing.code == 2
    assert "no sample 'nobody'" in missing.err


def test_a_model_without_maps_is_occluded_column_by_column(
    make_project: Any, evaluated: Any, tmp_path: Path, make_dense_model: Any
) -> None:
    root = make_project("plain")
    onnx.save(make_dense_model(), root / "dense.onnx")
    opened = Run(Population(evaluated(tmp_path, root)))
    try:
        answer = opened.heatmap("training/7", "class:b")
        with pytest.raises(LeaplabError, match="wires no loss"):
            opened.heatmap("training/7")
    finally:
        opened.close()

    vectors = np.random.default_rng(5).normal(size=(20, 4))
    everything = np.concatenate([vectors, np.random.default_rng(5).normal(size=(32, 4))[20:]])
    changed = np.repeat(vectors[7][None], 5, axis=0)
    changed[np.arange(1, 5), np.arange(4)] = everything.mean(axis=0)
    weights = make_dense_model.weights
    outputs = np.maximum(changed @ weights["first"], 0) @ weights["second"]
    assert (answer.method, answer.baseline, answer.layer) == ("occlusion", "mean", "")
    assert "no feature map of more than one cell" in answer.notices[0]
    np.testing.assert_allclose(answer.targets, outputs[:1, 1], rtol=1e-5)
    np.testing.assert_allclose(answer.values, [[outputs[0, 1] - outputs[1:, 1]]], atol=1e-5)
