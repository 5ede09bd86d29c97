"""Samples that a finder has to survive: what real runs lack, or hold nothing in."""

from typing import Any

import numpy as np

from leaplab.analysis.differences import Values
from leaplab.analysis.insight.samples import Labels, Samples, Score, Space


def samples_of(states, vectors=None, rows=None, **given) -> Any:
    """Samples of some states, with a latent space where vectors are given."""
    count = len(states)
    space = None
    if vectors is not None:
        rows = np.arange(count) if rows is None else rows
        space = Space("model", rows, np.asarray(vectors, np.float32))
    return Samples(np.array(states, object), {}, space=space, **given)


def _whole(states, vectors, **given) -> Samples:
    count = len(states)
    generator = np.random.default_rng(0)
    values = np.where(np.arange(count) % 7 == 0, np.nan, generator.normal(size=count))
    columns = {
        "metadata.constant": Values(np.ones(count)),
        "metadata.absent": Values(np.full(count, np.nan)),
        "metadata.many": Values((np.arange(count) % 1000).astype(float), [f"k{code}" for code in range(1000)]),
        "metadata.domain": Values((np.arange(count) % 2).astype(float), ["day", "night"]),
    }
    space = None if vectors is None else Space("model", np.arange(count), np.asarray(vectors, np.float32))
    known: dict[str, Any] = {
        "score": Score("loss.a", values, np.where(np.arange(count) % 11 == 0, np.inf, values)),
        "labels": Labels("classes", np.zeros(count, np.int64), ["only"]),
        "hashes": np.array([f"{row}" for row in range(count)], object),
        "thumbnails": {"image": generator.integers(0, 256, (count, 16, 16, 1)).astype(np.uint8)},
        "domains": tuple(columns),
        **given,
    }
    return Samples(np.array(states, object), columns, space=space, **known)


def odd_samples() -> dict[str, Any]:
    """Name -> samples."""
    generator = np.random.default_rng(1)
    two = ["training"] * 60 + ["validation"] * 40
    vectors = generator.normal(size=(100, 8))
    blank = {"image": np.zeros((100, 16, 16, 1), np.uint8)}
    few = Space("model", np.array([3, 70]), vectors[:2].astype(np.float32))
    return {
        "none": _whole([], np.zeros((0, 4))),
        "one": _whole(["training"], np.ones((1, 4))),
        "two": _whole(["training", "validation"], np.ones((2, 4))),
        "one state": _whole(["training"] * 100, vectors),
        "no training": _whole(["validation"] * 60 + ["test"] * 40, vectors),
        "unlabeled alone": _whole(["unlabeled"] * 100, vectors),
        "identical": _whole(two, np.ones((100, 8)), thumbnails=blank),
        "zero vectors": _whole(two, np.zeros((100, 8)), thumbnails=blank),
        "one dimension": _whole(two, np.where(np.arange(100) < 50, 0, 1)[:, None]),
        "no space": _whole(two, None, absent={"space": "No space, said the run."}),
        "no space, unsaid": _whole(two, None),
        "few with a vector": Samples(np.array(two, object), {}, space=few),
        "nothing known": samples_of(two, vectors),
        "nothing but states": samples_of(two),
        "absent hashes": _whole(two, vectors, hashes=np.full(100, None, object), thumbnails={}),
        "no labels, no score": _whole(two, vectors, labels=None, score=None),
        "no known label": _whole(two, vectors, labels=Labels("classes", np.full(100, -1), ["only"])),
        "two inputs": _whole(two, vectors, thumbnails={**blank, "depth": blank["image"] + np.uint8(9)}),
    }


def assert_sound(found, samples) -> None:
    """What holds for all that a finder finds."""
    assert bool(found.insights) != bool(found.silent)
    if found.silent:
        assert found.silent[0].isupper() or found.silent[0].isdigit()
        assert found.silent.endswith(".")
        assert "nan" not in found.silent
    if found.scores is not None:
        assert found.scores.shape == (len(samples),)
    assert [each.severity for each in found.insights] == sorted((i.severity for i in found.insights), reverse=True)
    for insight in found.insights:
        assert 0 <= insight.severity <= 1
        assert len(insight.members) == len(insight.scores) > 0
        assert len(set(insight.members.tolist())) == len(insight.members)
        assert insight.members.max() < len(samples)
        assert np.isfinite(insight.scores).all()
        for values in (insight.statistics, insight.baseline, insight.inside):
            assert all(type(value) is float and np.isfinite(value) for value in values.values())
        assert insight.explanation.endswith(".")
        assert insight.action.do.endswith(".")
        for text in (insight.title, insight.explanation, insight.action.do):
            assert " 1 samples" not in f" {text}"
            assert "  " not in text
