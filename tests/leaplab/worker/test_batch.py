"""The one way in which a model is run on a batch, with models of plain numpy."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from leaplab.errors import LeaplabError
from leaplab.protocol.description import Node, PredictionSpec, Source
from leaplab.protocol.observations import Topic
from leaplab.worker.batch import Batch, infer, probe_inference
from leaplab.worker.model import Feature, Predictor

IMAGES = np.random.default_rng(3).normal(size=(7, 2)).astype(np.float32)
PLACES = PredictionSpec("places", (), -1)
BOXES = PredictionSpec("boxes", (), -1)


class Model(Predictor):
    """A `Predictor`: gives twice its input, all of its values above 0, and the input as latent vectors."""

    format, latent_source = "onnx", "image"
    notices: tuple[str, ...] = ()

    def __init__(self, fixed_batch: int | None = None, unbatched=(), boxes=False, rank=None) -> None:
        self.fixed_batch, self._boxes, self._rank = fixed_batch, boxes, rank
        self.unbatched: frozenset[int] = frozenset(unbatched)
        self.fed: list[Any] = []

    def run(self, inputs) -> tuple[list[Any], Any]:
        (given,) = inputs
        if self._rank is not None and given.ndim != self._rank:
            raise LeaplabError(f"The model fails on {given.shape}")
        self.fed.append(given)
        outputs = [given * 2, given[given > 0]] if self._boxes else [given * 2]
        return outputs, [Feature("image", given, -1)]


def described(*predictions) -> Any:
    return SimpleNamespace(model_inputs=("image",), predictions=predictions)


def batch_of(images) -> Batch:
    return Batch("training", [f"{row}" for row in range(len(images))], {"image": images}, {})


@pytest.mark.parametrize(("fixed", "fed"), [(None, [7]), (1, [1] * 7), (3, [3, 3, 3]), (7, [7]), (10, [10])])
def test_batch_is_given_in_pieces_of_the_models_size(fixed, fed):
    model = Model(fixed)
    found = infer(model, described(PLACES), batch_of(IMAGES))

    assert [len(piece) for piece in model.fed] == fed
    np.testing.assert_array_equal(found.outputs[0], IMAGES * 2)
    np.testing.assert_array_equal(found.latent, IMAGES)
    assert found.unbatched == {}
    rest = np.concatenate(model.fed)[7:]
    np.testing.assert_array_equal(rest, np.repeat(IMAGES[-1:], len(rest), axis=0))


def test_output_without_a_batch_axis_comes_with_one_where_samples_come_singly():
    positive = [row[row > 0] for row in IMAGES]
    lengths = {len(row) for row in positive}
    assert lengths > {1}  # also one that might be taken for a batch of one
    for row, wanted in zip(IMAGES, positive, strict=True):
        for model, size in ((Model(1, [1], boxes=True), None), (Model(None, [1], boxes=True), 1)):
            found = infer(model, described(PLACES, BOXES), batch_of(row[None]), size)
            np.testing.assert_array_equal(found.outputs[1], wanted[None])
            assert found.unbatched == {1: wanted.shape}


def test_output_without_a_batch_axis_is_none_of_several_samples():
    for model in (Model(None, boxes=True), Model(4, boxes=True)):
        found = infer(model, described(PLACES, BOXES), batch_of(IMAGES))
        np.testing.assert_array_equal(found.outputs[0], IMAGES * 2)
        assert found.outputs[1] is None
        assert 1 in found.unbatched
    # A last batch of one sample is treated as those before it.
    assert infer(Model(None, [1], boxes=True), described(PLACES, BOXES), batch_of(IMAGES[:1]), 4).outputs[1] is None
    # One by one, samples have as many as they have: no array of all.
    assert infer(Model(1, boxes=True), described(PLACES, BOXES), batch_of(IMAGES)).outputs[1] is None


def test_handlers_of_an_output_that_is_none_get_nothing():
    batch = batch_of(IMAGES)
    batch.predictions = [IMAGES, None]
    nodes = [Node("score", "score", {"guess": Source("prediction", index=index)}) for index in (0, 1)]

    assert batch.arguments(nodes[0]) == {"guess": IMAGES}
    assert batch.arguments(nodes[1]) is None


def test_model_of_which_no_output_has_a_batch_axis_is_told():
    model: Any = SimpleNamespace(fixed_batch=None, unbatched=(), run=lambda _: ([np.zeros((9, 3))], []))

    told = r"Output 0 of the model has shape \(9, 3\) for a batch of 7; its first axis must be the batch\."
    with pytest.raises(LeaplabError, match=told):
        infer(model, described(PLACES), batch_of(IMAGES))


def test_what_is_no_array_is_none():
    outputs = [IMAGES, [{"a": 0.5}]]
    model: Any = SimpleNamespace(fixed_batch=None, unbatched=(), run=lambda _: (outputs, []))

    assert infer(model, described(PLACES, BOXES), batch_of(IMAGES)).outputs[1] is None


def flaws(model, *predictions, images=IMAGES) -> Any:
    inferred, found = probe_inference(model, described(*predictions), batch_of(images))
    return inferred is not None, [(flaw.topic, flaw.name, flaw.ends) for flaw in found]


def test_every_flaw_has_its_topic_and_an_evaluation_ends_with_some():
    holed = IMAGES.copy()
    holed[3, 1] = np.nan
    labelled = PredictionSpec("places", ("a", "b", "c"), -1)

    assert flaws(Model(), PLACES) == (True, [])
    assert flaws(Model(), PLACES, BOXES) == (True, [(Topic.MODEL_OUTPUTS, "model", True)])
    assert flaws(Model(), labelled) == (True, [(Topic.MODEL_LABELS, "places", True)])
    assert flaws(Model(boxes=True), PLACES, BOXES) == (True, [(Topic.MODEL_BATCH, "boxes", False)])
    assert flaws(Model(), PLACES, images=holed) == (True, [(Topic.MODEL_FINITE, "places", False)])
    assert flaws(Model(), labelled, images=holed) == (True, [(Topic.MODEL_LABELS, "places", True)])
    assert flaws(Model(rank=3), PLACES) == (False, [(Topic.MODEL_RUN, "model", True)])
    assert flaws(Model(rank=2), PLACES, images=IMAGES[:, None]) == (
        False,
        [(Topic.ENCODER_BATCHED, "image", True)],
    )
    np.testing.assert_array_equal(infer(Model(), described(PLACES), batch_of(holed)).outputs[0], holed * 2)


def test_sentences_of_an_evaluation_say_what_to_do():
    with pytest.raises(LeaplabError) as raised:
        infer(Model(rank=2), described(PLACES), batch_of(IMAGES[:, None]))
    assert str(raised.value) == (
        "The input 'image' has shape (1, 2); the model takes (2,); return one sample without a batch axis."
    )
    with pytest.raises(LeaplabError) as raised:
        infer(Model(), described(PLACES, BOXES), batch_of(IMAGES))
    assert str(raised.value) == (
        "The model has 1 outputs, but the integration declares 2 prediction types (places, boxes); declare one for"
        " every output."
    )
    with pytest.raises(LeaplabError) as raised:
        infer(Model(rank=3), described(PLACES), batch_of(IMAGES))
    assert str(raised.value) == "The model fails on (7, 2)"
