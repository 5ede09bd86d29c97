from typing import Any

import numpy as np

from leaplab.protocol.graph import frontier
from leaplab.worker.model import pooled


def found(start, nodes, weighted) -> Any:
    """`frontier` of {output: (node, inputs)}."""
    producers = {output: node for output, (node, _) in nodes.items()}
    inputs = dict(nodes.values())
    return frontier(start, producers, inputs, weighted)


def test_what_feeds_the_head_is_behind_the_softmax():
    nodes = {
        "maps": ("conv", ["x"]),
        "features": ("pool", ["maps"]),
        "logits": ("dense", ["features"]),
        "classes": ("softmax", ["logits"]),
    }

    assert found(["classes"], nodes, {"conv": ("x", 1), "dense": ("features", -1)}) == [("features", -1)]


def test_two_heads_on_two_layers_give_both():
    nodes = {
        "maps": ("conv", ["x"]),
        "features": ("pool", ["maps"]),
        "classes": ("dense", ["features"]),
        "boxes": ("box_conv", ["maps"]),
    }
    weighted = {"conv": ("x", 1), "dense": ("features", -1), "box_conv": ("maps", 1)}

    assert found(["classes", "boxes"], nodes, weighted) == [("features", -1), ("maps", 1)]
    assert found(["boxes", "classes"], nodes, weighted) == [("maps", 1), ("features", -1)]


def test_decoded_and_concatenated_heads_give_each_scale_once():
    # A detector: three convolutions, each decoded by a sigmoid, reshaped and concatenated into one output.
    nodes: dict[str, Any] = {}
    weighted: dict[str, Any] = {}
    for scale in "abc":
        nodes |= {
            f"maps_{scale}": (f"body_{scale}", ["x"]),
            f"raw_{scale}": (f"head_{scale}", [f"maps_{scale}"]),
            f"score_{scale}": (f"sigmoid_{scale}", [f"raw_{scale}"]),
            f"box_{scale}": (f"exp_{scale}", [f"raw_{scale}"]),
            f"flat_{scale}": (f"join_{scale}", [f"box_{scale}", f"score_{scale}"]),
        }
        weighted |= {f"head_{scale}": (f"maps_{scale}", 1), f"body_{scale}": ("x", 1)}
    nodes["output"] = ("concat", [f"flat_{scale}" for scale in "abc"])

    assert found(["output"], nodes, weighted) == [("maps_a", 1), ("maps_b", 1), ("maps_c", 1)]


def test_residual_branches_are_each_followed_to_their_weights():
    nodes = {
        "stem": ("stem_conv", ["x"]),
        "branch": ("branch_conv", ["stem"]),
        "sum": ("add", ["stem", "branch"]),
        "output": ("relu", ["sum"]),
    }
    weighted = {"stem_conv": ("x", 1), "branch_conv": ("stem", 1)}

    assert sorted(found(["output"], nodes, weighted)) == [("stem", 1), ("x", 1)]


def test_model_without_weights_has_no_head():
    assert found(["output"], {"output": ("relu", ["x"])}, {}) == []
    assert found(["x"], {}, {}) == []


def test_pooled_is_the_mean_over_all_axes_but_batch_and_channel():
    generator = np.random.default_rng(0)
    first, last = generator.normal(size=(2, 3, 4, 5)), generator.normal(size=(2, 4, 5, 6))
    sequence, vector = generator.normal(size=(2, 7, 4)), generator.normal(size=(2, 8))

    vectors = pooled([(first, 1), (last, -1), (sequence, -1), (vector, -1)])

    assert vectors is not None
    wanted = [first.mean(axis=(2, 3)), last.mean(axis=(1, 2)), sequence.mean(axis=1), vector]
    np.testing.assert_allclose(vectors, np.concatenate(wanted, axis=1), rtol=1e-5, atol=1e-6)
    assert vectors.dtype == np.float32
    assert vectors.shape == (2, 3 + 6 + 4 + 8)
    assert pooled([]) is None
