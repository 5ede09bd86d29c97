"""Groups of latent vectors."""

import warnings

import numpy as np
from numpy.typing import NDArray

WIDTH = 50


def k_means(vectors: NDArray[np.floating], clusters: int, seed: int = 0) -> NDArray[np.int32]:
    """Lloyd's k-means on the principal components: [N, W] -> [N] int32 cluster numbers, the largest cluster 0.

    Args:
        vectors: finite.
        clusters: number of clusters; fewer samples than that give one cluster each.
        seed: of the k-means++ starts (four; the best is kept).
    """
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    from leaplab.analysis.projection import principal_components

    if (vectors == vectors[0]).all():
        return np.zeros(len(vectors), np.int32)
    reduced = principal_components(vectors, WIDTH)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct vectors than clusters
        found = KMeans(n_clusters=min(clusters, len(vectors)), n_init=4, random_state=seed).fit_predict(reduced)
    by_size = np.argsort(-np.bincount(found), kind="stable")
    rank = np.empty_like(by_size)
    rank[by_size] = np.arange(len(by_size))
    return np.asarray(rank[found], np.int32)
