"""Every handler of an example, called as the platform's engine calls it, along the wiring of the integration test."""

from typing import Any

TOLERANCE = 1e-6


def test_encoders_give_float32_of_one_shape(behaviour: dict[str, Any]) -> None:
    shapes: dict[str, set[str]] = {}
    for encoder in behaviour["encoders"]:
        assert encoder["dtypes"] == ["float32"], encoder["what"]
        shapes.setdefault(f"{encoder['kind']} {encoder['name']}", set()).update(encoder["shapes"])
    assert shapes
    assert {name: found for name, found in shapes.items() if len(found) != 1} == {}


def test_encoders_give_finite_numbers_and_the_same_twice(behaviour: dict[str, Any]) -> None:
    for encoder in behaviour["encoders"]:
        assert encoder["finite"], encoder["what"]
        assert encoder["repeatable"], encoder["what"]


def test_encoders_tell_samples_apart(behaviour: dict[str, Any]) -> None:
    for encoder in behaviour["encoders"]:
        assert encoder["distinct"] > 1, f"{encoder['what']}: all samples look the same"
        if encoder["kind"] == "input":
            assert encoder["constant"] == 0, f"{encoder['what']}: a sample is one number everywhere"


def test_metadata_have_their_declared_type_in_every_sample(behaviour: dict[str, Any]) -> None:
    assert behaviour["metadata"]
    for name, found in behaviour["metadata"].items():
        assert len(found["types"]) <= 1, f"{name} is now {' and now '.join(found['types'])}"
        if found["declared"]:
            assert found["types"] in ([], [found["declared"]]), name
        else:
            assert found["types"], f"{name} can be absent, so its type must be declared"


def test_absent_metadata_are_none_and_flagged_and_no_value_is_nan(behaviour: dict[str, Any]) -> None:
    assert {name: found["wrong"] for name, found in behaviour["metadata"].items() if found["wrong"]} == {}


def test_metadata_keep_within_the_limits_of_the_platform(behaviour: dict[str, Any]) -> None:
    assert behaviour["wiring"]["metadata_functions"] <= 99
    assert len(behaviour["metadata"]) <= 799


def test_a_batch_gives_what_its_samples_give_one_by_one(behaviour: dict[str, Any]) -> None:
    differing = {
        score["what"]: score["difference"]
        for score in behaviour["scores"]
        if isinstance(score["difference"], str) or score["difference"] > TOLERANCE
    }
    assert differing == {}


def test_losses_and_metrics_give_one_float32_a_sample_in_either_precision(behaviour: dict[str, Any]) -> None:
    for score in behaviour["scores"]:
        assert score["length"] == 8, score["what"]
        assert score["is_matrix"] or (score["dtype"], score["dimensions"]) == ("float32", 1), score["what"]


def test_losses_are_finite(behaviour: dict[str, Any]) -> None:
    losses = [score for score in behaviour["scores"] if score["handler"] in behaviour["wiring"]["losses"]]
    assert losses
    assert [score["what"] for score in losses if not score["finite"]] == []


def test_losses_and_metrics_leave_their_arguments_alone(behaviour: dict[str, Any]) -> None:
    assert {score["what"]: score["mutated"] for score in behaviour["scores"] if score["mutated"]} == {}


def test_every_loss_metric_and_visualizer_runs_on_every_state(behaviour: dict[str, Any]) -> None:
    # The unlabeled state has no ground truth: code-loader never asks for it.
    states = set(behaviour["states"]) - {"unlabeled"}
    for handler in behaviour["wiring"]["handlers"]:
        ran = {
            score["state"] for score in [*behaviour["scores"], *behaviour["visualizers"]] if score["node"] == handler
        }
        assert states <= ran, handler


def test_visualizers_return_what_they_declare(behaviour: dict[str, Any]) -> None:
    assert behaviour["visualizers"]
    for shown in behaviour["visualizers"]:
        assert shown["returned"] == shown["declared"], shown["what"]
        assert shown["image_dtype"] in (None, "uint8"), f"{shown['what']}: floats are cut to integers, not scaled"


def test_the_integration_test_consumes_every_input_prediction_and_ground_truth(behaviour: dict[str, Any]) -> None:
    wiring = behaviour["wiring"]
    assert set(wiring["predictions"]) | set(wiring["ground_truths"]) <= set(wiring["consumed"])
    assert wiring["predictions"]
    assert wiring["ground_truths"]
    consumed = set(wiring["model_inputs"]) | {source.removeprefix("input ") for source in wiring["consumed"]}
    assert set(wiring["inputs"]) <= consumed


def test_there_is_a_loss_because_a_push_needs_one(behaviour: dict[str, Any]) -> None:
    assert behaviour["wiring"]["losses"]
