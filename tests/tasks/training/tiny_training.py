"""A training of seconds that has all that a real one has: dropout, a schedule, augmentation, fixed numbers.

As a module it trains in a process of its own, for the tests to kill: `python -m ... PATH [--slow]`.
"""

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from tasks.settings import ExampleConfig, Recipe


def training(
    *,
    seed: int = 3,
    data: int = 7,
    width: int = 6,
    mean: float = 0.0,
    learning_rate: float = 0.01,
    report: Any = None,
    callbacks: Any = tuple,
) -> Any:
    """40 rows of 4 numbers in 3 classes, over 4 epochs of 5 batches."""
    import keras

    from tasks.training.batches import AugmentedBatches, of_images
    from tasks.training.fitting import Training
    from tasks.training.fixed_affine import fixed_affine
    from tasks.training.schedule import warmup_and_cosine

    recipe = Recipe(epochs=4, warmup_epochs=1, batch_size=8, learning_rate=learning_rate, weight_decay=0.01)
    rng = np.random.default_rng(data)
    numbers = rng.random((40, 4), dtype=np.float32)
    classes = np.eye(3, dtype=np.float32)[numbers[:, :3].argmax(axis=1)]
    noisy = of_images(lambda batch, rng: batch + rng.normal(0, 0.1, batch.shape).astype(np.float32))
    batches = AugmentedBatches(numbers, classes, recipe.batch_size, noisy, seed)

    def build(in_training: bool) -> Any:
        inputs = keras.Input((4,), name="numbers")
        x = fixed_affine(inputs, 1.0, -mean)
        x = keras.layers.BatchNormalization()(keras.layers.Dense(width)(x))
        x = keras.layers.Dropout(0.3)(x)
        return keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(x))

    def compiled(net: Any) -> Any:
        net.compile(keras.optimizers.AdamW(warmup_and_cosine(recipe, len(batches))), "categorical_crossentropy")
        return net

    return Training(
        config=ExampleConfig(labels=("a", "b", "c"), model="models/tiny.onnx", seed=seed, training=recipe),
        batches=batches,
        watched=(numbers[:16], classes[:16]),
        watched_state="validation",
        build=build,
        compiled=compiled,
        report=report or (lambda title, net: None),
        compared=numbers[:4],
        callbacks=callbacks,
    )


def main() -> None:
    import keras

    from tasks.training.fitting import fit

    class Slow(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            time.sleep(0.3)

    fit(training(callbacks=lambda: [Slow()] if "--slow" in sys.argv else []), Path(sys.argv[1]))


if __name__ == "__main__":
    main()
