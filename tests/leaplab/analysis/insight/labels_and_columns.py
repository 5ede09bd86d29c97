"""Samples for the tests of finders that look at labels and columns, and those that nothing can be said of."""

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.differences import Values
from leaplab.analysis.insight.samples import Labels, Samples, Score, Space

NAN = float("nan")


def samples_of(states, columns=None, badness=None, labels=None, vectors=None, names=None, **more) -> Samples:
    """Samples of plain lists; a column that is a pair is one of codes and categories."""
    read = {
        name: Values(np.asarray(values[0], float), values[1])
        if isinstance(values, tuple)
        else Values(np.asarray(values, float))
        for name, values in (columns or {}).items()
    }
    score = None if badness is None else Score("loss.l", np.asarray(badness, float), np.asarray(badness, float))
    classes = None
    if labels is not None:
        codes = np.asarray(labels, np.int64)
        classes = Labels("truth", codes, names or [f"class {code}" for code in range(int(codes.max(initial=0)) + 1)])
    space = None
    if vectors is not None:
        known = np.flatnonzero(np.isfinite(vectors).all(axis=1))
        space = Space("latent", known, np.asarray(vectors, np.float32)[known])
    return Samples(np.array(states, object), read, score, classes, space, **more)


def reordered(samples: Samples, order) -> Samples:
    """The same samples in another order."""
    score, labels, space = samples.score, samples.labels, samples.space
    moved = np.full((len(samples), 1 if space is None else space.vectors.shape[1]), NAN)
    if space is not None:
        moved[space.rows] = space.vectors
    return samples_of(
        samples.states[order],
        {
            name: values.numbers[order] if values.categories is None else (values.numbers[order], values.categories)
            for name, values in samples.columns.items()
        },
        None if score is None else score.badness[order],
        None if labels is None else labels.codes[order],
        None if space is None else moved[order],
        None if labels is None else labels.names,
    )


def _whole(count=200, classes=3, states=("training", "validation"), **changed) -> Samples:
    generator = np.random.default_rng(0)
    given = {
        "states": generator.permutation(np.resize(states, count)).tolist(),
        "columns": {
            "metadata.number": generator.normal(size=count),
            "metadata.kind": (generator.integers(0, 3, count), ["a", "b", "c"]),
        },
        "badness": generator.exponential(size=count),
        "labels": generator.integers(0, classes, count),
        "vectors": generator.normal(size=(count, 6)),
    }
    return samples_of(**(given | changed))


def _odd_scores(count=200) -> NDArray[np.float64]:
    scores: NDArray[np.float64] = np.random.default_rng(1).exponential(size=count)
    scores[::7], scores[1::7], scores[2::7] = NAN, np.inf, -np.inf
    return scores


BAD = {
    "no sample": samples_of([], {"a": []}, [], [], np.zeros((0, 3))),
    "one sample": samples_of(["validation"], {"a": [1.0]}, [1.0], [0], [[1.0, 2.0]]),
    "one of each state": samples_of(["training", "validation"], {"a": [1, 2]}, [1, 2], [0, 1], [[1.0], [2.0]]),
    "one class": _whole(classes=1),
    "all identical": _whole(
        columns={"a": np.ones(200), "k": (np.zeros(200), ["k"])},
        badness=np.ones(200),
        vectors=np.ones((200, 4)),
    ),
    "constant and absent columns": _whole(
        columns={"constant": np.ones(200), "absent": np.full(200, NAN), "none": (np.full(200, NAN), [])}
    ),
    "a thousand categories": _whole(
        columns={"id": (np.arange(200), [f"id {code}" for code in range(1000)])},
    ),
    "infinite numbers": _whole(columns={"a": np.where(np.arange(200) % 3, np.inf, np.arange(200.0))}),
    "no columns": _whole(columns={}),
    "odd scores": _whole(badness=_odd_scores()),
    "no score at all": _whole(badness=np.full(200, NAN)),
    "no label at all": _whole(labels=np.full(200, -1), names=["a", "b"]),
    "labels of three samples": _whole(labels=np.where(np.arange(200) < 3, np.arange(200), -1), names=list("abc")),
    "no finite vector": _whole(vectors=np.full((200, 3), NAN)),
    "unlabeled only": _whole(states=("unlabeled",)),
    "no training": _whole(states=("validation", "test")),
    "training only": _whole(states=("training",)),
    "no labels": _whole(labels=None, absent={"labels": "No labels, says the run."}),
    "no score": _whole(badness=None, absent={"score": "No score, says the run."}),
    "no space": _whole(vectors=None, absent={"space": "No space, says the run."}),
    "nothing": samples_of(["training"] * 30 + ["validation"] * 30),
}
"""Name -> samples with which a finder has to get along."""


def assert_well_formed(found, samples) -> None:
    """What leaplab relies on: a reason or insights whose numbers are in range, in plain Python floats."""
    assert bool(found.silent) != bool(found.insights)
    assert not found.silent or found.silent.rstrip().endswith(".")
    severities = [insight.severity for insight in found.insights]
    assert severities == sorted(severities, reverse=True)
    for insight in found.insights:
        assert 0 <= insight.severity <= 1
        assert len(insight.members) == len(insight.scores) > 0
        assert len(set(insight.members.tolist())) == len(insight.members) <= insight.population
        assert (np.diff(insight.scores) <= 0).all()
        assert set(samples.states[insight.members]) == {insight.state}
        for told in (insight.statistics, insight.baseline, insight.inside):
            assert all(type(value) in (float, str) for value in told.values())
        assert all(np.isfinite(value) for value in insight.statistics.values() if isinstance(value, float))
        assert "nan" not in insight.explanation + insight.title + insight.action.do
