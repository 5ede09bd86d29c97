from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

IMAGES = np.arange(60, dtype=np.float32).reshape(60, 1, 1, 1)
TARGETS = np.eye(60, dtype=np.float32)


Batch = NDArray[np.float32]


def _unchanged(images: Batch, targets: Batch, rng: np.random.Generator) -> tuple[Batch, Batch]:
    return images, targets


def _noisy(images: Batch, targets: Batch, rng: np.random.Generator) -> tuple[Batch, Batch]:
    return images + rng.random(images.shape, dtype=np.float32), targets


@pytest.fixture(scope="module")
def batches() -> Any:
    """The class, which imports Keras."""
    from tasks.training.batches import AugmentedBatches

    return AugmentedBatches


def test_an_epoch_holds_every_sample_once_with_its_own_target(batches: Any) -> None:
    loader = batches(IMAGES, TARGETS, 16, _unchanged, seed=3)
    orders = []
    for epoch in range(2):
        loader.begin_at(epoch)
        held = [loader[index] for index in range(len(loader))]
        assert [len(images) for images, _ in held] == [16, 16, 16, 12]
        images, targets = (np.concatenate([batch[part] for batch in held]) for part in (0, 1))
        np.testing.assert_array_equal(targets.argmax(axis=1), images.ravel())
        assert sorted(images.ravel()) == list(range(60))
        orders.append(images.ravel().tolist())
    assert orders[0] != orders[1]
    assert orders[0] != sorted(orders[0])


def test_batches_are_the_same_for_the_same_seed_whoever_asks_first(batches: Any) -> None:
    first, again, other = (batches(IMAGES, TARGETS, 16, _noisy, seed) for seed in (1, 1, 2))
    expected = [first[index][0] for index in range(4)]
    for index in (3, 1, 0, 2):
        np.testing.assert_array_equal(again[index][0], expected[index])
    assert not np.array_equal(other[0][0], expected[0])


def test_the_augmentation_differs_by_epoch(batches: Any) -> None:
    loader = batches(IMAGES, TARGETS, 60, _noisy, seed=1)
    noise = []
    for epoch in range(2):
        loader.begin_at(epoch)
        images, targets = loader[0]
        noise.append((images.ravel() - targets.argmax(axis=1))[targets.argmax(axis=1).argsort()])
    assert not np.allclose(noise[0], noise[1])


def test_there_may_be_several_targets(batches: Any) -> None:
    loader = batches(IMAGES, (TARGETS, IMAGES[:, 0, 0] * 2), 16, lambda images, targets, rng: (images, targets), seed=1)
    images, (one, other) = loader[3]
    np.testing.assert_array_equal(one.argmax(axis=1), images.ravel())
    np.testing.assert_array_equal(other.ravel(), images.ravel() * 2)


def test_the_arrays_stay_as_they_are(batches: Any) -> None:
    images = IMAGES.copy()
    targets = TARGETS.copy()
    loader = batches(images, targets, 16, lambda *both: (np.multiply(both[0], 0, out=both[0]), both[1] * 0), seed=1)
    loader[0]
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(targets, TARGETS)


def test_an_augmentation_of_images_leaves_the_targets_as_they_are() -> None:
    from tasks.training.batches import of_images

    images, targets = of_images(lambda batch, rng: batch + 1)(IMAGES, TARGETS, np.random.default_rng(0))
    np.testing.assert_array_equal(images, IMAGES + 1)
    np.testing.assert_array_equal(targets, TARGETS)
