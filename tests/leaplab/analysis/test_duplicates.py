from typing import Any

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.spatial.distance import cdist

from leaplab.analysis.duplicates import Duplicates, find_duplicates, group

SIDE = 32


def thumbnail(images) -> Any:
    """[n, 32, 32, C] in 0..255 -> [n, 16, 16, C]: means of two by two."""
    count, channels = len(images), images.shape[3]
    means = images.reshape(count, 16, 2, 16, 2, channels).mean(axis=(2, 4))
    return np.clip(np.rint(means), 0, 255).astype(np.uint8)


def scenes(generator, count, channels=1) -> Any:
    """[n, 32, 32, C] pictures, each of something else in the middle."""
    noise = gaussian_filter(generator.normal(size=(count, SIDE, SIDE, channels)), (0, 2, 2, 0))
    spread = noise.std(axis=(1, 2, 3), keepdims=True)
    middle = np.sin(np.pi * (np.arange(SIDE) + 0.5) / SIDE)
    return np.clip(128 + 60 * noise / spread * (middle[:, None] * middle)[..., None], 0, 255)


def strokes(generator, count) -> Any:
    """Upright strokes by many hands, as of one digit: all look alike, and none is another's copy."""
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(float)
    bends = gaussian_filter(generator.normal(size=(count, SIDE)), (0, 2))
    widths = gaussian_filter(generator.normal(size=(count, SIDE)), (0, 2))
    middle = 16 + generator.normal(0, 1, (count, 1, 1)) + 3 * bends[..., None]
    width = 2.5 + 2 * np.abs(widths[..., None])
    bars = 255 * np.exp(-(((columns - middle) / width) ** 2))
    return (bars * (np.abs(rows - 16) < generator.uniform(10, 13, (count, 1, 1))))[..., None]


def shifted(images) -> Any:
    return np.concatenate([images[:, :, :1], images[:, :, :-1]], axis=2)


def found_among(images, hashes=None, **given) -> Any:
    """What is found where the latent vectors follow from the pictures."""
    small = thumbnail(images)
    project = np.random.default_rng(7).normal(size=(images[0].size, 24)) / SIDE
    vectors = (images.reshape(len(images), -1) @ project).astype(np.float32)
    distances = cdist(vectors, vectors)
    np.fill_diagonal(distances, np.inf)
    neighbours = np.argsort(distances, axis=1, kind="stable")[:, :20]
    arguments = {"thumbnails": {"image": small}, **given}
    return find_duplicates(len(images), hashes, np.arange(len(images)), vectors, neighbours, **arguments)


def pairs(found) -> Any:
    return set(zip(found.first.tolist(), found.second.tolist(), strict=True))


def planted(seed, channels=1) -> Any:
    """400 pictures, behind them 10 encoded anew and 10 that are shifted by a pixel."""
    generator = np.random.default_rng(seed)
    kept = scenes(generator, 400, channels)
    noisy = np.clip(kept[:10] + generator.normal(0, 3, kept[:10].shape), 0, 255)
    return np.concatenate([kept, noisy, shifted(kept[10:20])])


def test_pictures_that_are_encoded_anew_or_shifted_are_found_and_no_others():
    wanted = {(row, 400 + row) for row in range(20)}
    hits = 0
    for seed in range(10):
        found = pairs(found_among(planted(seed)))
        hits += len(found & wanted) >= 19
        assert found <= wanted
    assert hits >= 9


def test_pictures_that_merely_look_alike_are_no_duplicates():
    alarms = 0
    for seed in range(20):
        alarms += len(found_among(strokes(np.random.default_rng(seed), 300)).first) > 0
    assert alarms <= 1


def test_similarity_is_the_cosine_of_the_vectors():
    images = planted(0)
    rows = np.arange(3, 3 + len(images))
    vectors = np.random.default_rng(0).normal(size=(len(images), 5)).astype(np.float32)
    flat = thumbnail(images).reshape(len(images), -1).astype(float)
    distances = cdist(flat, flat)
    np.fill_diagonal(distances, np.inf)
    small = np.concatenate([np.zeros((3, 16, 16, 1), np.uint8), thumbnail(images)])
    neighbours = np.argsort(distances, axis=1)[:, :20]
    found = find_duplicates(len(small), None, rows, vectors, neighbours, {"image": small})

    assert len(found.first) > 5
    assert (found.first >= 3).all(), "rows are those of all samples, not of those with a vector"
    for first, second, similarity in zip(found.first, found.second, found.similarity, strict=True):
        one, other = vectors[first - 3], vectors[second - 3]
        assert similarity == pytest.approx(one @ other / np.linalg.norm(one) / np.linalg.norm(other), abs=1e-6)


def test_a_picture_in_other_colours_is_another():
    images = scenes(np.random.default_rng(1), 200, channels=3)
    tinted = images[:5].copy()
    tinted[..., 0] += 25
    tinted[..., 2] -= 25

    assert not pairs(found_among(np.concatenate([images, np.clip(tinted, 0, 255)])))


def test_a_picture_upside_down_is_another_though_its_frequencies_are_the_same():
    images = scenes(np.random.default_rng(1), 200)
    turned = images[:5, ::-1, ::-1]

    assert not pairs(found_among(np.concatenate([images, turned])))


def test_one_input_upside_down_makes_another_sample():
    images = scenes(np.random.default_rng(1), 200)
    twice = np.concatenate([images, images[:5]])
    depth = np.concatenate([images, images[:5, ::-1, ::-1]])

    assert len(pairs(found_among(twice))) == 5
    assert not pairs(found_among(twice, thumbnails={"depth": thumbnail(depth), "image": thumbnail(twice)}))


def test_all_pictures_of_a_sample_must_be_the_same():
    images = planted(2)
    other = scenes(np.random.default_rng(8), len(images))
    found = found_among(images, thumbnails={"image": thumbnail(images), "depth": thumbnail(other)})

    assert len(pairs(found_among(images))) >= 19
    assert not pairs(found)


def test_order_does_not_matter():
    images = planted(3)
    order = np.random.default_rng(0).permutation(len(images))
    found = found_among(images[order])

    turned = {tuple(sorted((int(order[a]), int(order[b])))) for a, b in pairs(found)}
    assert turned == pairs(found_among(images))


def test_equal_hashes_are_copies_and_what_is_absent_is_none():
    hashes = np.array(["a", "b", "a", None, None, "", "", float("nan"), "b", "a"], object)
    copies = find_duplicates(len(hashes), hashes).copies

    equal = {(a, b) for a in range(10) for b in range(a) if copies[a] == copies[b]}
    assert equal == {(2, 0), (9, 0), (9, 2), (8, 1)}


def test_near_pairs_leave_exact_ones_out_however_many_they_are():
    images = planted(4)
    # 30 copies of a picture, more than there are neighbours, and their own picture encoded anew.
    images = np.concatenate([images, np.repeat(images[:1], 30, axis=0)])
    hashes = np.array([f"{row}" for row in range(420)] + ["0"] * 30, object)
    found = found_among(images, hashes)

    assert not (found.copies[found.first] == found.copies[found.second]).any()
    assert pairs(found) >= {(row, 400 + row) for row in range(1, 19)}


@pytest.mark.parametrize("fill", [0, 255])
@pytest.mark.parametrize("count", [2, 3, 40])
def test_blank_pictures_are_told_by_their_hash_alone(fill, count):
    images = np.full((count, SIDE, SIDE, 1), fill, float)
    with np.errstate(divide="raise", invalid="raise", over="raise"):
        assert not len(found_among(images).first)
        assert len(set(found_among(images, np.full(count, "same", object)).copies.tolist())) == 1


@pytest.mark.parametrize("given", [{"rows": None}, {"vectors": None}, {"neighbours": None}, {"thumbnails": {}}])
def test_without_vectors_or_pictures_near_copies_are_not_told(given):
    whole = {
        "rows": np.arange(2),
        "vectors": np.ones((2, 3), np.float32),
        "neighbours": np.array([[1], [0]]),
        "thumbnails": {"image": np.zeros((2, 16, 16, 1), np.uint8)},
    }
    found = find_duplicates(2, np.array(["a", "a"], object), **{**whole, **given})

    assert found.copies.tolist() == [0, 0]
    assert not len(found.first)


def linked(pairs_, rows) -> Any:
    """Groups by repeated merging."""
    groups = [{row} for row in rows]
    for pair in pairs_:
        merged = set().union(*(each for each in groups if each & set(pair)))
        groups = [each for each in groups if not each & merged] + [merged]
    return {frozenset(each) for each in groups if len(each) > 1}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("across", [False, True])
def test_groups_and_pairs_are_those_of_counting_them_all(seed, across):
    generator = np.random.default_rng(seed)
    count = 60
    hashes = np.array([f"{code}" for code in generator.integers(0, 50, count)], object)
    found = find_duplicates(count, hashes)
    first, second = np.sort(generator.choice(count, (2, 12)), axis=0)
    kept = (first != second) & (found.copies[first] != found.copies[second])
    near = sorted({(int(a), int(b)) for a, b in zip(first[kept], second[kept], strict=True)})
    near_first, near_second = np.array(near).T
    found = Duplicates(found.copies, near_first, near_second, np.linspace(0.5, 0.9, len(near)))
    side = generator.integers(0, 3, count)
    among, apart = side == 0, side == 1
    result = group(found, among, apart if across else None)

    def counts(a, b) -> bool:
        return {side[a], side[b]} == {0, 1} if across else side[a] == side[b] == 0

    exact = [(a, b) for b in range(count) for a in range(b) if hashes[a] == hashes[b] and counts(a, b)]
    close = [pair for pair in near if counts(*pair)]
    assert (result.exact_pairs, result.near_pairs) == (len(exact), len(close))
    groups = {frozenset(result.rows[result.groups == number].tolist()) for number in set(result.groups.tolist())}
    assert groups == linked(exact + close, range(count))
    likeness = {row: 1.0 for pair in exact for row in pair}
    for pair, value in zip(near, found.similarity, strict=True):
        for row in pair if pair in close else ():
            likeness[row] = max(likeness.get(row, 0), value)
    assert dict(zip(result.rows.tolist(), result.similarity.tolist(), strict=True)) == pytest.approx(likeness)
