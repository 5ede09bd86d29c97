"""What an evaluation stores, against loops over single samples that know nothing of leaplab."""

import json
import math
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from code_loader.utils import simulate_engine_float16_downcast
from numpy.lib.stride_tricks import sliding_window_view
from onnx import TensorProto, helper, numpy_helper

from leaplab.errors import LeaplabError
from leaplab.protocol.description import PredictionSpec
from leaplab.worker.batch import Batch, infer
from leaplab.worker.onnx_model import OnnxPredictor

LABELS = ["top", "middle", "bottom"]
SEED, COUNT = 7, 25


def network(path, image, bias) -> Any:
    """The features and the probabilities of the small model, in numpy and float64."""
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer}
    windows = sliding_window_view(image[..., 0].astype(np.float64), (3, 3))
    maps = np.einsum("yxij,cij->cyx", windows, weights["kernel"][:, 0]) + weights["kernel_bias"][:, None, None]
    features = np.maximum(maps, 0).mean(axis=(1, 2))
    logits = features @ weights["dense"] + weights["dense_bias"] + bias
    powers = np.exp(logits - logits.max())
    return maps, features, powers / powers.sum()


@pytest.fixture(scope="module")
def drawn(plain_functions):
    """The samples of both states by id, in the order of a run."""
    samples = plain_functions("samples")
    return {
        key: sample for state in ("training", "validation") for key, sample in samples.draw(state, COUNT, SEED).items()
    }


@pytest.fixture(scope="module")
def expected(tiny, drawn, plain_functions):
    """Column -> value of every sample, by the integration's plain functions on one sample after another."""
    samples, scores = plain_functions("samples"), plain_functions("scores")
    model = onnxruntime.InferenceSession(tiny / "tiny.onnx")
    rows = []
    for key, sample in drawn.items():
        image, bias = sample.image[None], sample.bias[None]
        (guess,) = model.run(None, {"image": image, "bias": bias})
        classes, smoothed = samples.one_hot(sample)[None], samples.smoothed(sample)[None]
        spread = scores.spread(guess)
        rows.append(
            {
                "sample_id": key,
                "state": key.split("-")[0],
                "metadata.label": sample.label,
                "metadata.number": float(sample.number),
                "metadata.brightness": samples.brightness(sample),
                "metadata.shade": samples.shade(sample),
                "metadata.is_dark": samples.is_dark(sample),
                "metadata.peak_row": samples.peak(sample)["row"],
                "metadata.peak_height": samples.peak(sample)["height"],
                "loss.cross_entropy": float(scores.cross_entropy(classes, guess)[0]),
                "loss.defined_for_some": float(scores.defined_for_some(classes, guess, image)[0]),
                "metric.accuracy": float(scores.accuracy(classes, guess)[0]),
                "metric.confidence": scores.confidence(guess)[0],
                "metric.spread_entropy": float(spread["entropy"][0]),
                "metric.spread_gap": spread["gap"][0],
                "metric.shortfall": float(scores.shortfall(smoothed, guess)[0]),
                "metric.shortfall_1": float(scores.shortfall(guess, classes)[0]),
            }
        )
    return rows


def differences(rows, expected) -> Any:
    """Cells that are not the same: type for type, numbers to 1e-6."""
    rows, expected = (
        [{name: value for name, value in row.items() if not name.startswith("input.")} for row in table]
        for table in (rows, expected)
    )
    assert [row.keys() for row in rows] == [row.keys() for row in expected]

    def same(found, wanted) -> Any:
        if isinstance(wanted, float) and isinstance(found, float):
            return math.isclose(found, wanted, rel_tol=1e-6, abs_tol=1e-6) or (found != found and wanted != wanted)
        return type(found) is type(wanted) and found == wanted

    return [
        (wanted["sample_id"], column, row[column], wanted[column])
        for row, wanted in zip(rows, expected, strict=True)
        for column in wanted
        if not same(row[column], wanted[column])
    ]


def test_the_reference_holds_what_the_comparison_is_about(expected):
    for column in (
        "metadata.brightness",
        "metadata.shade",
        "metadata.is_dark",
        "metadata.peak_row",
        "metric.confidence",
    ):
        assert 0 < sum(row[column] is None for row in expected) < len(expected)
    assert 0 < sum(math.isnan(row["loss.defined_for_some"]) for row in expected) < len(expected)
    assert 0 < sum(row["metric.accuracy"] for row in expected) < len(expected)


@pytest.mark.parametrize(("batch_size", "part_size"), [(1, 7), (7, 10), (100, None)])
def test_columns_are_those_of_single_samples(
    tiny, tiny_session, evaluated, stored_rows, expected, tmp_path, batch_size, part_size
):
    store = evaluated(tmp_path, tiny, part_size, batch_size=batch_size, session=tiny_session)

    assert differences(stored_rows(store), expected) == []


@pytest.mark.parametrize(("batch_size", "part_size"), [(4, 7), (100, None)])
def test_vectors_and_predictions_are_the_model_s_own(
    tiny, tiny_session, evaluated, drawn, tmp_path, batch_size, part_size
):
    store = evaluated(tmp_path, tiny, part_size, batch_size=batch_size, session=tiny_session)
    wanted = [network(tiny / "tiny.onnx", sample.image, sample.bias) for sample in drawn.values()]

    assert store.manifest.latent_source == "features"
    assert store.latent_spaces() == {"model": 4, "rows": 6}
    np.testing.assert_allclose(store.latent("model"), [features for _, features, _ in wanted], rtol=1e-5, atol=1e-6)
    rows = [sample.image.mean(axis=(1, 2)) for sample in drawn.values()]
    np.testing.assert_allclose(store.latent("rows"), rows, rtol=1e-6)
    for row in (0, 6, 7, 24, 25, 49):
        np.testing.assert_allclose(store.prediction("classes", row), wanted[row][2], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["maps", "conv"])  # a tensor, and the node that makes it
def test_latent_space_of_a_named_layer(tiny, tiny_session, evaluated, drawn, tmp_path, name):
    store = evaluated(tmp_path, tiny, latent=name, session=tiny_session)
    wanted = [network(tiny / "tiny.onnx", s.image, s.bias)[0].mean(axis=(1, 2)) for s in drawn.values()]

    np.testing.assert_allclose(store.latent("model"), wanted, rtol=1e-4, atol=1e-5)


def test_confusion_elements_say_of_which_sample_they_are(tiny, tiny_session, evaluated, drawn, tmp_path):
    import duckdb

    store = evaluated(tmp_path, tiny, 10, batch_size=4, session=tiny_session)
    with duckdb.connect() as connection:
        found = connection.execute(
            "SELECT sample_id, label, expected, probability FROM read_parquet(?)",
            [str(store.path / "confusion" / "metric.confusion" / "*.parquet")],
        ).fetchall()

    wanted = []
    for sample_id, sample in drawn.items():
        _, _, guess = network(tiny / "tiny.onnx", sample.image, sample.bias)
        wanted += [
            (sample_id, LABELS[c], sample.label == c, pytest.approx(guess[c], rel=1e-5, abs=1e-6)) for c in range(3)
        ]
    assert sorted(found, key=lambda item: (item[0], LABELS.index(item[1]))) == wanted


def test_confusion_elements_keep_the_ids_that_a_metric_gives_them(make_project, evaluated, tmp_path):
    import duckdb

    named = (
        "float(guess[row, place]),",
        'float(guess[row, place]),\n                f"thing {place % 2}" if row % 2 else "",',
    )
    store = evaluated(tmp_path, make_project(changes={"scores.py": named}), 10, batch_size=4, limit=9)
    with duckdb.connect() as connection:
        found = connection.execute(
            'SELECT state, label, id FROM read_parquet(?) ORDER BY state, "offset"',
            [str(store.path / "confusion" / "metric.confusion" / "*.parquet")],
        ).fetchall()

    by_sample = {state: [each[1:] for each in found if each[0] == state] for state in ("training", "validation")}
    for told in by_sample.values():
        assert told
        for place, (label, thing) in enumerate(told):
            within = place // 3 % 4  # batches of four, the last one shorter
            assert thing == (f"thing {LABELS.index(label) % 2}" if within % 2 else None)


def test_float16_gives_losses_and_metrics_what_the_platform_stores(
    tiny, tiny_session, tiny_run, evaluated, drawn, plain_functions, stored_rows, tmp_path
):
    samples, scores = plain_functions("samples"), plain_functions("scores")
    model = onnxruntime.InferenceSession(tiny / "tiny.onnx")
    half = simulate_engine_float16_downcast
    wanted = []
    for sample in drawn.values():
        (guess,) = model.run(None, {"image": sample.image[None], "bias": sample.bias[None]})
        classes = half(samples.one_hot(sample)[None])
        assert half(guess).dtype == np.float16
        wanted.append(
            (
                float(scores.cross_entropy(classes, half(guess))[0]),
                float(scores.shortfall(half(samples.smoothed(sample)[None]), half(guess))[0]),
            )
        )
    store = evaluated(tmp_path, tiny, float16=True, session=tiny_session)
    found = [(row["loss.cross_entropy"], row["metric.shortfall"]) for row in stored_rows(store)]

    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-7)
    full = [(row["loss.cross_entropy"], row["metric.shortfall"]) for row in stored_rows(tiny_run)]
    assert not np.allclose(found, full, rtol=1e-6, atol=1e-7)
    np.testing.assert_array_equal(store.latent("model"), tiny_run.latent("model"))


@pytest.fixture(scope="module")
def partly_unlabeled(make_project):
    root = make_project(
        changes={
            "leap_binder.py": (
                "(DataStateType.training, DataStateType.validation)",
                "(DataStateType.training, DataStateType.validation, DataStateType.unlabeled)",
            ),
            "project_config.yaml": ("validation: 25", "validation: 25\nunlabeled: 6"),
        }
    )
    return root


def test_unlabeled_samples_have_no_scores_that_need_a_ground_truth(partly_unlabeled, evaluated, stored_rows, tmp_path):
    # The encoder of the ground truth raises on such a sample, so it is not called.
    store = evaluated(tmp_path, partly_unlabeled)
    columns = store.read([*store.columns(), "state"])
    unlabeled = columns["state"] == "unlabeled"

    assert unlabeled.sum() == 6
    assert unlabeled[-6:].all()
    for column in ("loss.cross_entropy", "metric.accuracy", "metric.shortfall", "metric.shortfall_1"):
        assert np.isnan(columns[column][unlabeled]).all()
        assert not np.isnan(columns[column][~unlabeled]).any()
        assert all(row.get(column) is None for row in stored_rows(store)[-6:])
    for column in ("metric.spread_entropy", "metadata.number"):
        assert not np.isnan(columns[column]).any()
    assert store.latent("model").shape == (56, 4)
    assert store.row(55)["sample_id"] == "unlabeled-05"


def test_model_of_fixed_batch_gives_what_the_others_give(make_project, evaluated, tiny_run, stored_rows, tmp_path):
    root = make_project(batch=4)
    store = evaluated(tmp_path, root, 10, batch_size=7)

    assert differences(stored_rows(store), stored_rows(tiny_run)) == []
    np.testing.assert_allclose(store.latent("model"), tiny_run.latent("model"), rtol=1e-5, atol=1e-6)


def test_integer_ids_and_no_wiring(make_project, make_dense_model, evaluated, stored_rows, tmp_path):
    root = make_project("plain")
    onnx.save(make_dense_model(), root / "dense.onnx")
    store = evaluated(tmp_path, root, 9)
    vectors = np.random.default_rng(5).normal(size=(20, 4)).astype(np.float32)
    hidden = np.maximum(vectors @ make_dense_model.weights["first"], 0)

    rows = stored_rows(store)
    assert [(row["sample_id"], row["metadata.position"]) for row in rows] == [
        (str(position), position) for position in [*range(20), *range(12)]
    ]
    assert [name for name in store.columns() if not name.startswith("input.")] == ["metadata.position"]
    np.testing.assert_allclose(store.latent("model")[:20], hidden, rtol=1e-5, atol=1e-6)


def test_outputs_are_stored_up_to_so_many_values_a_sample(make_project, evaluated, tmp_path):
    sizes = {"largest": 4096, "larger": 4097}
    handlers = "".join(f'PredictionTypeHandler(name="{name}", labels=[], channel_dim=-1), ' for name in sizes)
    declared = 'PredictionTypeHandler(name="halves", labels=["a", "b"], channel_dim=-1)'
    root = make_project("plain", {"leap_binder.py": (declared, handlers)})
    weights = {name: np.random.default_rng(size).random((4, size), np.float32) for name, size in sizes.items()}
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["vector", f"{name} weights"], [name]) for name in sizes],
        "wide",
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["batch", 4])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", size]) for name, size in sizes.items()],
        [numpy_helper.from_array(array, f"{name} weights") for name, array in weights.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), root / "dense.onnx")
    store = evaluated(tmp_path, root, 9, batch_size=4)
    vectors = np.random.default_rng(5).normal(size=(20, 4)).astype(np.float32)

    for row in (0, 8, 19):
        wanted = vectors[row] @ weights["largest"]
        np.testing.assert_allclose(store.prediction("largest", row), wanted, rtol=1e-4, atol=1e-5)
        assert store.prediction("larger", row) is None


def test_metric_key_that_comes_and_goes_is_absent_where_it_did_not_come(make_project, evaluated, tmp_path):
    keys = """    first = {"always": guess[:, 0]}
    return {**first, "large": guess[:, 1]} if len(guess) == 10 else {**first, "small": guess[:, 2]}
"""
    result = "    result: dict[str, Any] = scores.spread(guess)\n    return result\n"
    root = make_project(changes={"leap_binder.py": (result, keys)})
    text = (root / "leap_binder.py").read_text()
    text = text.replace(
        '{"entropy": MetricDirection.Downward, "gap": MetricDirection.Upward}', "MetricDirection.Upward"
    )
    (root / "leap_binder.py").write_text(text.replace('{"entropy": False, "gap": True}', "False"))
    store = evaluated(tmp_path, root, batch_size=10)  # batches of ten, ten and five, in either part
    names = [f"metric.spread_{key}" for key in ("always", "large", "small")]
    present = {name: np.flatnonzero(~np.isnan(values)).tolist() for name, values in store.read(names).items()}

    assert present["metric.spread_always"] == [*range(50)]
    assert present["metric.spread_large"] == [*range(20), *range(25, 45)]
    assert present["metric.spread_small"] == [*range(20, 25), *range(45, 50)]
    guesses = np.array([store.prediction("classes", row) for row in range(50)])
    np.testing.assert_array_equal(store.read(names[1:2])[names[1]][25:45], guesses[25:45, 1])
    assert store.columns()["metric.spread_small"].direction == "upward"
    assert store.columns()["metric.spread_small"].insights is False


def test_model_that_does_not_fit_is_told_before_anything_is_written(tiny, make_model, evaluated, tmp_path):
    onnx.save(make_model(outputs=2), tmp_path / "other.onnx")

    with pytest.raises(LeaplabError, match="has 2 outputs, but the integration declares 1 prediction types"):
        evaluated(tmp_path / "runs", tiny, model=tmp_path / "other.onnx")
    assert not list((tmp_path / "runs").rglob("*.parquet"))


def inferred(predictor, labels, axis=-1, size=None) -> Any:
    """`infer` on two samples with one prediction type of these labels."""
    inputs = {"image": np.zeros((2, 6, 6, 1), np.float32), "bias": np.zeros((2, 3), np.float32)}
    declared: Any = SimpleNamespace(
        model_inputs=("image", "bias"), predictions=(PredictionSpec("classes", labels, axis),)
    )
    return infer(predictor, declared, Batch("training", ["a", "b"], inputs, {}), size)


def test_labels_that_do_not_fit_the_model_are_told(make_model):
    predictor = OnnxPredictor(make_model().SerializeToString())

    with pytest.raises(LeaplabError, match="but prediction type 'classes' names 2 labels along axis -1"):
        inferred(predictor, ("top", "bottom"))
    with pytest.raises(LeaplabError, match=r"names 3 labels along axis 2"):
        inferred(predictor, ("a", "b", "c"), axis=2)
    for labels in ((), ("a", "b", "c")):  # no labels: nothing to compare
        assert inferred(predictor, labels).outputs[0].shape == (2, 3)


def test_inputs_that_do_not_fit_the_model_are_told(make_model):
    with pytest.raises(LeaplabError, match=r"takes 1 inputs \(image\), but the integration feeds it 2"):
        inferred(OnnxPredictor(make_model(inputs=("image",)).SerializeToString()), ())
    with pytest.raises(LeaplabError, match=r"The model fails on image \(2, 6, 6, 1\), bias \(2, 3\)"):
        inferred(OnnxPredictor(make_model(classes=4).SerializeToString()), ())


def test_output_without_a_batch_axis_is_told():
    predictor = SimpleNamespace(fixed_batch=None, unbatched=(), run=lambda _: ([np.zeros((7, 3))], []))

    with pytest.raises(LeaplabError, match=r"has shape \(7, 3\) for a batch of 2; its first axis must be the batch"):
        inferred(predictor, ())


SINGLY = """
import json, sys
from pathlib import Path
import numpy as np, onnxruntime
from code_loader import LeapLoader
from code_loader.contract.enums import DataStateEnum

loader = LeapLoader(sys.argv[1], "leap_binder.py")
assert loader.check_dataset().is_valid
model = onnxruntime.InferenceSession(sys.argv[2])
rows = []
for state, key in json.load(sys.stdin):
    sample = loader.get_sample(DataStateEnum[state], key)
    truth = sample.gt["classes"][None]
    (guess,) = model.run(None, {model.get_inputs()[0].name: sample.inputs["image"][None]})
    score = lambda run, name, **arguments: float(run(name, np.array([key]), DataStateEnum[state], arguments)[0])
    both = {"ground_truth": truth, "prediction": guess}
    rows.append({
        **{f"metadata.{m}": None if sample.metadata_is_none[m] else value for m, value in sample.metadata.items()},
        "loss.cross_entropy": score(loader.run_custom_loss, "cross_entropy", **both),
        "metric.accuracy": score(loader.run_metric, "accuracy", **both),
        "metric.confidence": score(loader.run_metric, "confidence", prediction=guess),
        "metric.predicted_label": score(loader.run_metric, "predicted_label", prediction=guess),
    })
print(json.dumps(rows))
"""


@pytest.mark.real_data("mnist/mnist.npz")
def test_real_digits_score_as_single_samples_do(repository, evaluated, stored_rows, tmp_path, monkeypatch):
    monkeypatch.setenv("LEAP_EXAMPLE", "mnist")
    store = evaluated(tmp_path, repository, 16, limit=40)
    rows = [
        {column: value for column, value in row.items() if not column.startswith("input.")}
        for row in stored_rows(store)
    ]
    finished = subprocess.run(
        [sys.executable, "-c", SINGLY, repository, repository / "models" / "mnist_cnn.onnx"],
        input=json.dumps([(row["state"], row["sample_id"]) for row in rows]),
        capture_output=True,
        text=True,
        check=True,
        cwd=repository,
    )
    wanted = json.loads(finished.stdout.splitlines()[-1])

    assert len(rows) == 80
    assert {row["metadata.source"] for row in rows} == {wanted[0]["metadata.source"]}
    for row, single in zip(rows, wanted, strict=True):
        # LeapLoader turns integers into floats; a run keeps those that are declared.
        single.update({name: int(value) for name, value in single.items() if type(row[name]) is int})
        single.update(sample_id=row["sample_id"], state=row["state"])
    assert (
        differences(
            rows, [{column: single[column] for column in row} for row, single in zip(rows, wanted, strict=True)]
        )
        == []
    )
