"""A training from the untrained net to the model's files: what every example does alike."""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import keras
import msgspec
import numpy as np
from numpy.typing import NDArray

from tasks.settings import ExampleConfig
from tasks.training.batches import AugmentedBatches
from tasks.training.checkpoint import Checkpoint
from tasks.training.errors import TrainingError
from tasks.training.export import write_onnx
from tasks.training.history import HistoryWriter
from tasks.training.keras2_file import save_for_keras_2
from tasks.training.precision import use_mixed_precision
from tasks.training.torch_forward import accelerated


class Start(NamedTuple):
    """Where a training starts, and in which precision it goes on.

    Attributes:
        init: an .h5 whose weights the net begins with, instead of random ones.
        resume: whether it goes on from the last whole epoch of a training that was killed.
        bfloat16: whether it computes in bfloat16 on a processor too.
    """

    init: Path | None = None
    resume: bool = False
    bfloat16: bool = False


FROM_SCRATCH = Start()


@dataclass(frozen=True)
class Training:
    """What is an example's own.

    Attributes:
        config: with the recipe; its seed is that of weights and dropout.
        batches: what is trained on.
        watched: images and targets that are measured after each epoch.
        watched_state: what the history calls them.
        build: makes the untrained net: as it is trained, given True, and as it is written, given False. Their weights
            are alike; a detector's gives logits in training.
        compiled: of a net as it is trained, the model to fit: the net itself, or one around it that has its weights.
        report: prints, under a title, the figures of a net as it is written.
        compared: [B, ...] float32, images on which the .onnx is compared with the .h5.
        callbacks: makes further ones, which are called before the history is written.
    """

    config: ExampleConfig
    batches: AugmentedBatches[Any, Any]
    watched: tuple[Any, Any]
    watched_state: str
    build: Callable[[bool], keras.Model]
    compiled: Callable[[keras.Model], keras.Model]
    report: Callable[[str, keras.Model], None]
    compared: NDArray[np.float32]
    callbacks: Callable[[], Sequence[keras.callbacks.Callback]] = tuple


def fit(training: Training, name: Path, start: Start = FROM_SCRATCH) -> keras.Model:
    """Train, write `name`.h5, .history.csv and, where the backend can, .onnx; print the figures.

    After each epoch the state lies in `name`.checkpoint.npz, which goes when all is written: a training that was
    killed is resumed from there and ends with the weights and the history of one that was not.

    Args:
        name: path of the files without suffix.

    Returns:
        The net as it is written.

    Raises:
        TrainingError: what it starts from is missing or does not fit.
    """
    config, recipe = training.config, training.config.training
    keras.utils.set_random_seed(config.seed)
    use_mixed_precision(start.bfloat16)
    net = training.build(True)
    if start.init is not None and not start.resume:
        _take_weights(net, start.init)
        training.report(f"before, {start.init.name}", _as_written(training, net))

    model = training.compiled(accelerated(net))
    history = HistoryWriter(name.with_suffix(".history.csv"), monitored=training.watched_state)
    settings = msgspec.to_builtins(config, order="deterministic") | {"training data": _checksum(training.batches)}
    checkpoint = Checkpoint(name.with_suffix(".checkpoint.npz"), history, settings)
    whole_epochs = checkpoint.restore(model) if start.resume else 0
    # Counted from 1, as in the history; Keras itself tells a data set of no epoch's number.
    order = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: training.batches.begin_at(epoch + 1))
    model.fit(
        training.batches,
        initial_epoch=whole_epochs,
        epochs=recipe.epochs,
        validation_data=training.watched,
        validation_batch_size=recipe.batch_size,
        callbacks=[order, *training.callbacks(), history, checkpoint],
        verbose=2,
    )

    keras.mixed_precision.set_global_policy("float32")
    trained = _as_written(training, net)
    save_for_keras_2(trained, name.with_suffix(".h5"))
    training.report(name.name, trained)
    if keras.backend.backend() == "tensorflow":
        write_onnx(name, training.compared)
    else:
        print("Now run the same with --export where Keras has TensorFlow as its backend, which writes the .onnx.")
    checkpoint.remove()
    return trained


def _as_written(training: Training, net: keras.Model) -> keras.Model:
    written = training.build(False)
    written.set_weights(net.get_weights())
    return written


def _take_weights(net: keras.Model, path: Path) -> None:
    """Give a net what another has learned; what is fixed, as cells, anchors or the data's mean, stays its own."""
    if not path.is_file():
        raise TrainingError(f"{path} does not exist: give --init an .h5 that a training wrote.")
    try:
        trained = keras.models.load_model(path, compile=False)
    except (OSError, ValueError, TypeError) as error:
        raise TrainingError(f"{path} cannot be read as a model: give --init an .h5 that a training wrote.") from error
    own, others = ([layer for layer in each.layers if layer.weights and layer.trainable] for each in (net, trained))
    if [_shapes(layer) for layer in own] != [_shapes(layer) for layer in others]:
        raise TrainingError(f"{path} is of another net than the settings describe: give --init one of the same.")
    for layer, other in zip(own, others, strict=True):
        layer.set_weights(other.get_weights())


def _shapes(layer: keras.Layer) -> list[tuple[int, ...]]:
    return [tuple(weights.shape) for weights in layer.weights]


def _checksum(batches: AugmentedBatches[Any, Any]) -> int:
    checksum = 0
    for array in keras.tree.flatten((batches.images, batches.targets)):
        checksum = zlib.crc32(np.ascontiguousarray(array).data, checksum)
    return checksum
