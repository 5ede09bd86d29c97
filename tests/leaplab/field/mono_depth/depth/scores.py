import numpy as np

_EPS = 1e-3


def _per_sample(truth, guess):
    """Valid depths of each sample: pairs of vectors, float32."""
    for t, g in zip(truth.astype(np.float32), guess.astype(np.float32)):
        valid = t > 0
        yield t[valid], np.maximum(g[valid], _EPS)


def silog(truth, guess):
    """Scale-invariant logarithmic error, [B]."""
    values = []
    for t, g in _per_sample(truth, guess):
        d = np.log(g) - np.log(t)
        values.append(np.sqrt(np.mean(d**2) - 0.85 * np.mean(d) ** 2))
    return np.array(values, dtype=np.float32)


def depth_scores(truth, guess):
    columns = {"abs_rel": [], "rmse": [], "delta1": []}
    for t, g in _per_sample(truth, guess):
        columns["abs_rel"].append(np.mean(np.abs(t - g) / t))
        columns["rmse"].append(np.sqrt(np.mean((t - g) ** 2)))
        columns["delta1"].append(np.mean(np.maximum(t / g, g / t) < 1.25))
    return {name: np.array(values, dtype=np.float32) for name, values in columns.items()}
