"""A trained Keras model, written as .h5 and as .onnx that give the same numbers."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 1e-4


def export(model: Any, path: Path, example_batch: NDArray[np.float32]) -> float:
    """Write `path` with the suffixes .h5 and .onnx and compare the two on a batch.

    Args:
        model: a functional Keras model of one input.
        path: the files' path without suffix.
        example_batch: [B, ...] float32, what the encoders make of real samples.

    Returns:
        The largest difference between the outputs of the two files, relative to values whose size is above 1.

    Raises:
        ValueError: that difference is above `TOLERANCE`.
    """
    import keras
    import onnxruntime

    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        h5, onnx = Path(folder) / f"{path.name}.h5", Path(folder) / f"{path.name}.onnx"
        model.save(h5)
        model(example_batch[:1])  # Keras exports only what has been called
        model.export(onnx, format="onnx", verbose=False)

        session = onnxruntime.InferenceSession(str(onnx))
        from_onnx = session.run(None, {session.get_inputs()[0].name: example_batch})
        read_back = keras.models.load_model(h5, compile=False)(example_batch)
        from_h5 = [keras.ops.convert_to_numpy(output) for output in keras.tree.flatten(read_back)]
        # Not max, which may lose a NaN.
        difference = float(np.max([_difference(*outputs) for outputs in zip(from_onnx, from_h5, strict=True)]))
        if not difference <= TOLERANCE:
            raise ValueError(f"{onnx.name} and {h5.name} differ by {difference:.2g}, more than {TOLERANCE}.")
        for file in (h5, onnx):
            file.replace(path.with_name(file.name))
    return difference


def write_onnx(path: Path, example_batch: NDArray[np.float32]) -> None:
    """Write `path` with the suffix .onnx from that with .h5, and print how far the two differ on a batch.

    The arguments and errors are those of `export`.
    """
    import keras

    model = keras.models.load_model(path.with_suffix(".h5"), compile=False)
    print(f"{path.name}: .onnx within {export(model, path, example_batch):.1g} of .h5")


def _difference(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    # Of a value above 1, as pixels are, relative to it.
    return float((np.abs(one - other) / np.maximum(np.abs(other), 1)).max())
